//! Long differences: for each event time the rows that enter its regression, and what they are compared by.

use std::collections::BTreeMap;

use parallax_model::{Adoption, Design, Note, Term, counted};

use crate::{
    lp_did::{Base, Options},
    options::Control,
};

/// A design with what every horizon takes from it.
pub struct LongDifferences<'d, 'p> {
    design: &'d Design<'p>,
    first: &'d [Option<i32>],
    control: Control,
    /// First row of each unit, and one past the last.
    starts: Vec<usize>,
    /// The first period of the sample.
    earliest: i32,
    base_kind: Base,
    /// What the outcome is compared with; NaN where it is not known.
    base: Vec<f64>,
    /// How many periods back bases and lags reach; `None` for all of them.
    history: Option<u32>,
    /// Lags of the outcome by row; NaN where they are not known.
    pub lags: Vec<(Term, Vec<f64>)>,
}

/// Rows of one regression; each is the base period of a long difference.
#[derive(Clone, Debug, Default)]
pub struct HorizonSample {
    /// Rows of the design.
    pub rows: Vec<usize>,
    /// Outcome at the horizon, or its mean over several, less the base.
    pub outcome: Vec<f64>,
    /// The treatment begins in the row.
    pub treated: Vec<bool>,
    /// Treated rows in periods without clean control, left out.
    pub unsupported: usize,
}

impl<'d, 'p> LongDifferences<'d, 'p> {
    /// Works out bases and lags.
    pub fn new(design: &'d Design<'p>, adoption: &'d Adoption, options: &Options) -> LongDifferences<'d, 'p> {
        let code = &design.units.code;
        let starts = (0..=design.units.n_groups())
            .map(|unit| code.partition_point(|it| (*it as usize) < unit))
            .collect();
        let first = &adoption.first;
        let mut it = LongDifferences {
            design,
            first,
            control: options.control,
            starts,
            earliest: design.periods.iter().copied().min().unwrap_or(0),
            base_kind: options.base,
            base: Vec::new(),
            history: history(options),
            lags: Vec::new(),
        };
        it.base = match (options.base, options.base_periods) {
            (Base::Previous, _) => it.shifted(-1),
            (Base::PreMean, None) => it.mean_of_every_period_before(),
            (Base::PreMeanAvailable, _) => it.mean_of_rows_before(),
            (Base::PreMean, Some(periods)) => it.mean_of_last(periods),
        };
        for lag in (1..=options.outcome_lags).filter_map(|it| i32::try_from(it).ok()) {
            let name = format!("l({}, {lag})", design.outcome.name);
            it.lags.push((Term::Slope(name.into()), it.shifted(-lag)));
        }
        for lag in (1..=options.difference_lags).filter_map(|it| i32::try_from(it).ok()) {
            let (later, earlier) = (it.shifted(-lag), it.shifted(-lag - 1));
            let change = later.iter().zip(earlier).map(|(a, b)| a - b).collect();
            let name = format!("l(d({}), {lag})", design.outcome.name);
            it.lags.push((Term::Slope(name.into()), change));
        }
        it
    }

    /// Rows whose unit has every target period, on average over `targets`; controls are untreated up to `clean` periods
    /// after the base period. With `fixed`, only rows that have all outcomes up to that horizon and are clean up to it.
    pub fn sample(&self, targets: &[i32], clean: i32, fixed: Option<i32>) -> HorizonSample {
        let mut found = HorizonSample::default();
        let clean = fixed.map_or(clean, |it| clean.max(it));
        for (row, &period) in self.design.periods.iter().enumerate() {
            let first = self.first[self.design.units.code[row] as usize];
            let treated = first == Some(period);
            if !treated && !self.control.clean(first, period.saturating_add(clean)) || !self.known(row) {
                continue;
            }
            let complete = fixed.is_none_or(|it| (0..=it).all(|it| self.at(row, it).is_some()));
            let sum: Option<f64> = targets.iter().map(|it| self.at(row, *it)).sum();
            if let (true, Some(sum)) = (complete, sum) {
                found.rows.push(row);
                found.outcome.push(sum / targets.len() as f64 - self.base[row]);
                found.treated.push(treated);
            }
        }
        self.drop_unsupported(&mut found);
        found
    }

    /// Marks the rows that a regression takes something from: base periods, outcomes at the horizon, and what is before.
    pub fn mark(&self, base: &[usize], targets: &[i32], used: &mut [bool]) {
        for &row in base {
            used[row] = true;
            targets.iter().filter_map(|it| self.row_at(row, *it)).for_each(|it| used[it] = true);
            match self.history {
                None => used[self.starts[self.design.units.code[row] as usize]..row].fill(true),
                Some(periods) => (1..=periods)
                    .filter_map(|it| self.row_at(row, -i32::try_from(it).ok()?))
                    .for_each(|it| used[it] = true),
            }
        }
    }

    /// A period whose rows are all treated has nothing to be compared with.
    fn drop_unsupported(&self, sample: &mut HorizonSample) {
        let mut controls: BTreeMap<i32, bool> = BTreeMap::new();
        for (&row, &treated) in sample.rows.iter().zip(&sample.treated) {
            *controls.entry(self.design.periods[row]).or_default() |= !treated;
        }
        let keep: Vec<bool> =
            sample.rows.iter().map(|&it| controls.get(&self.design.periods[it]) == Some(&true)).collect();
        sample.unsupported = keep.iter().filter(|it| !**it).count();
        sample.keep(&keep);
    }

    /// For each adopter with a base: periods with an outcome in a row from adoption on, and before the base period of
    /// the plain long difference.
    pub fn reach(&self) -> Vec<[i32; 2]> {
        let own = |row: usize| {
            let first = self.first[self.design.units.code[row] as usize];
            first == Some(self.design.periods[row]) && self.known(row)
        };
        let run = |row: usize, from: i32, step: i32| {
            (0_i32..).take_while(|it| self.at(row, from + step * it).is_some()).count() as i32
        };
        (0..self.design.n()).filter(|it| own(*it)).map(|it| [run(it, 0, 1), run(it, -2, -1)]).collect()
    }

    fn known(&self, row: usize) -> bool {
        !self.base[row].is_nan() && self.lags.iter().all(|it| !it.1[row].is_nan())
    }

    /// The outcome of the row's unit so many periods later.
    fn at(&self, row: usize, by: i32) -> Option<f64> {
        self.row_at(row, by).map(|it| self.design.outcome.values[it])
    }

    fn row_at(&self, row: usize, by: i32) -> Option<usize> {
        let periods = &self.design.periods;
        let unit = self.design.units.code[row] as usize;
        let (start, end) = (self.starts[unit], self.starts[unit + 1]);
        let wanted = periods[row].checked_add(by)?;
        // Without gaps the row is where the number of periods says.
        let near = row.checked_add_signed(by as isize).filter(|it| (start..end).contains(it));
        match near {
            Some(it) if periods[it] == wanted => Some(it),
            _ => Some(start + periods[start..end].binary_search(&wanted).ok()?),
        }
    }

    fn shifted(&self, by: i32) -> Vec<f64> {
        (0..self.design.n()).map(|row| self.at(row, by).unwrap_or(f64::NAN)).collect()
    }

    /// Means over other periods would differ by effects of periods, so that a unit needs them all.
    fn mean_of_every_period_before(&self) -> Vec<f64> {
        let mut means = self.mean_of_rows_before();
        for (row, mean) in means.iter_mut().enumerate() {
            if !self.has_every_period_before(row) {
                *mean = f64::NAN;
            }
        }
        means
    }

    /// From the first period of the sample on.
    fn has_every_period_before(&self, row: usize) -> bool {
        let periods = &self.design.periods;
        let before = (row - self.starts[self.design.units.code[row] as usize]) as i64;
        before == i64::from(periods[row]) - i64::from(self.earliest)
    }

    fn mean_of_rows_before(&self) -> Vec<f64> {
        let mut sum = 0.0;
        let mean = |row: usize| {
            let start = self.starts[self.design.units.code[row] as usize];
            if row == start {
                sum = 0.0;
                return f64::NAN;
            }
            sum += self.design.outcome.values[row - 1];
            sum / (row - start) as f64
        };
        (0..self.design.n()).map(mean).collect()
    }

    /// What missing rows do to a base over all periods before.
    pub fn history_note(&self) -> Option<Note> {
        let adopts = |row: &usize| {
            self.first[self.design.units.code[*row] as usize] == Some(self.design.periods[*row])
        };
        let missing = (0..self.design.n()).filter(|it| !self.has_every_period_before(*it));
        let (rows, adopters) = missing.fold((0, 0), |(n, own), it| (n + 1, own + usize::from(adopts(&it))));
        let of = format!("{}, of which {} of adoption", counted(rows, "row"), adopters);
        match (self.base_kind, self.history, rows) {
            (_, _, 0) | (Base::Previous, ..) | (Base::PreMean, Some(_), _) => None,
            (Base::PreMean, None, _) => Some(Note::remark(format!(
                "no base, because a period before is not there: {of}; `base-periods` asks for fewer of them"
            ))),
            (Base::PreMeanAvailable, ..) => Some(Note::remark(format!(
                "the base is a mean over fewer periods than there were: {of}; effects of periods do not cancel in them, and \
                 enter the effects"
            ))),
        }
    }

    fn mean_of_last(&self, periods: u32) -> Vec<f64> {
        let periods = i32::try_from(periods).unwrap_or(i32::MAX);
        let mean = |row: usize| {
            let sum: Option<f64> = (1..=periods).map(|it| self.at(row, -it)).sum();
            sum.map_or(f64::NAN, |it| it / f64::from(periods))
        };
        (0..self.design.n()).map(mean).collect()
    }
}

fn history(options: &Options) -> Option<u32> {
    let base = match (options.base, options.base_periods) {
        (Base::Previous, _) => 1,
        (Base::PreMean, periods) => periods?,
        (Base::PreMeanAvailable, _) => return None,
    };
    let changes = if options.difference_lags == 0 { 0 } else { options.difference_lags.saturating_add(1) };
    Some(base.max(options.outcome_lags).max(changes))
}

impl HorizonSample {
    /// Of the rows at these positions, those where the treatment begins.
    pub fn treated_rows(&self, positions: impl IntoIterator<Item = usize>) -> Vec<usize> {
        positions.into_iter().filter(|it| self.treated[*it]).map(|it| self.rows[it]).collect()
    }

    /// Both kinds of row are there; a period with treated rows has controls.
    pub fn identified(&self) -> bool {
        self.treated.contains(&true)
    }

    /// Periods where nobody adopts say nothing of an effect that adopters weigh.
    pub fn only_adoption_periods(&mut self, periods: &[i32]) {
        let adoption: Vec<i32> =
            (self.rows.iter().zip(&self.treated)).filter(|it| *it.1).map(|it| periods[*it.0]).collect();
        let adoption: std::collections::BTreeSet<i32> = adoption.into_iter().collect();
        let keep: Vec<bool> = self.rows.iter().map(|&it| adoption.contains(&periods[it])).collect();
        self.keep(&keep);
    }

    fn keep(&mut self, keep: &[bool]) {
        let mut at = keep.iter();
        self.rows.retain(|_| at.next() == Some(&true));
        let mut at = keep.iter();
        self.outcome.retain(|_| at.next() == Some(&true));
        let mut at = keep.iter();
        self.treated.retain(|_| at.next() == Some(&true));
    }
}
