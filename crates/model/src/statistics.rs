//! [`Statistics`]: the named numbers beside coefficients, each of which knows whether it counts things.

/// A named number of an estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// How many there are of something: rows, units, draws, degrees of freedom.
    Count(u64),
    /// Any other number; NaN is missing.
    Number(f64),
}

impl Statistic {
    /// The number.
    pub fn value(self) -> f64 {
        match self {
            Statistic::Count(it) => it as f64,
            Statistic::Number(it) => it,
        }
    }
}

/// Named numbers in the order they were set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics(Vec<(&'static str, Statistic)>);

impl Statistics {
    /// Sets or replaces a number that is no count.
    pub fn set(&mut self, name: &'static str, value: f64) {
        self.put(name, Statistic::Number(value));
    }

    /// Sets or replaces a count.
    pub fn count(&mut self, name: &'static str, count: usize) {
        self.put(name, Statistic::Count(count as u64));
    }

    /// Sets or replaces degrees of freedom: a count, but for approximations that are not whole.
    pub fn set_df(&mut self, name: &'static str, df: f64) {
        const WHOLE: f64 = 9_007_199_254_740_992.0;
        let counts = (0.0..WHOLE).contains(&df) && df.fract() == 0.0;
        self.put(name, if counts { Statistic::Count(df as u64) } else { Statistic::Number(df) });
    }

    fn put(&mut self, name: &'static str, statistic: Statistic) {
        match self.0.iter_mut().find(|it| it.0 == name) {
            Some(it) => it.1 = statistic,
            None => self.0.push((name, statistic)),
        }
    }

    /// The number of that name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.typed(name).map(Statistic::value)
    }

    /// As [`Statistics::get`], with what it is.
    pub fn typed(&self, name: &str) -> Option<Statistic> {
        self.0.iter().find(|it| it.0 == name).map(|it| it.1)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        self.0.iter().map(|(name, it)| (*name, it.value()))
    }

    /// As [`Statistics::iter`], with what they are.
    pub fn iter_typed(&self) -> impl Iterator<Item = (&'static str, Statistic)> + '_ {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statistic_knows_whether_it_counts() {
        let mut stats = Statistics::default();
        stats.count("draws", 20);
        stats.set("level", 1.0);
        stats.set_df("whole", 12.0);
        stats.set_df("welch", 12.5);
        stats.set_df("missing", f64::NAN);
        assert_eq!(stats.typed("draws"), Some(Statistic::Count(20)));
        assert_eq!(stats.typed("level"), Some(Statistic::Number(1.0)));
        assert_eq!(stats.typed("whole"), Some(Statistic::Count(12)));
        assert_eq!(stats.typed("welch"), Some(Statistic::Number(12.5)));
        assert!(matches!(stats.typed("missing"), Some(Statistic::Number(it)) if it.is_nan()));
        stats.set("draws", 2.5);
        assert_eq!((stats.get("draws"), stats.iter().count()), (Some(2.5), 5));
    }
}
