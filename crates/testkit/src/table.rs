//! Small seeded panels as plain tables, and the changes that laws make to them.

use parallax_model::{
    Name, Panel,
    panel::{Codes, Column, PanelBuilder, PanelError, TimeFormat},
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A generator of uniform and normal numbers.
pub struct Random(ChaCha8Rng);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Random {
        Random(ChaCha8Rng::seed_from_u64(seed))
    }

    /// On (0, 1).
    pub fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
    }

    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.uniform(), self.uniform());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }

    /// Numbers `0..n` in random order (Fisher and Yates).
    pub fn order(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for last in (1..n).rev() {
            order.swap(last, (self.uniform() * (last + 1) as f64) as usize);
        }
        order
    }
}

/// Size of a seeded panel.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Units.
    pub units: usize,
    /// Periods.
    pub periods: usize,
    /// Share of rows that are missing at random.
    pub holes: f64,
    /// Seed.
    pub seed: u64,
}

/// A table in input order: text units and groups, whole periods, numbers.
///
/// Columns: `x1` (varies within and between units), `x2` (correlated with the unit effect), `d` (switches on at
/// different times), `y` (effects of units and periods, errors that persist within units), `w`
/// (positive weights), `row` (numbers the rows), `cohort` (the first year of `d`, 0 for never), `kind` (1 or 2,
/// fixed for a unit). Groups hold whole units.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Unit of each row.
    pub unit: Vec<String>,
    /// Group of each row.
    pub group: Vec<String>,
    /// Period of each row.
    pub year: Vec<i32>,
    /// Numbers by name.
    pub numbers: Vec<(&'static str, Vec<f64>)>,
}

impl Table {
    /// A seeded panel.
    pub fn seeded(shape: Shape) -> Table {
        let mut random = Random::new(shape.seed);
        let mut table = Table {
            unit: Vec::new(),
            group: Vec::new(),
            year: Vec::new(),
            numbers: ["y", "x1", "x2", "d", "w", "row", "cohort", "kind"].map(|it| (it, Vec::new())).to_vec(),
        };
        let groups = (shape.units / 4).max(2);
        let shocks: Vec<[f64; 4]> = (0..shape.periods).map(|_| [(); 4].map(|()| random.normal())).collect();
        for unit in 0..shape.units {
            let (effect, start) =
                (random.normal(), 1 + (random.uniform() * 1.5 * shape.periods as f64) as usize);
            let cohort = if start < shape.periods { 2001.0 + start as f64 } else { 0.0 };
            let weight = 0.5 + random.uniform();
            let kind = (1 + unit % 2) as f64;
            let mut error = random.normal();
            for (period, [of_y, of_x1, of_x2, of_d]) in shocks.iter().enumerate() {
                error = 0.6 * error + 0.8 * random.normal();
                let x1 = 0.5 * random.normal() + (unit % 3) as f64 + of_x1;
                let x2 = random.normal() + 0.7 * effect + of_x2;
                let d = f64::from(u8::from(start <= period));
                let y = 1.0 + x1 - 0.5 * x2 + (0.8 + of_d) * d + effect + of_y + (1.0 + of_x1) * error;
                if random.uniform() < shape.holes {
                    continue;
                }
                let row = table.unit.len() as f64;
                table.unit.push(format!("u{unit:04}"));
                table.group.push(format!("g{:03}", unit % groups));
                table.year.push(2001 + period as i32);
                for ((_, column), value) in
                    table.numbers.iter_mut().zip([y, x1, x2, d, weight, row, cohort, kind])
                {
                    column.push(value);
                }
            }
        }
        table
    }

    /// Balanced, 48 units in 12 groups and 9 years.
    pub fn balanced(seed: u64) -> Table {
        Table::seeded(Shape { units: 48, periods: 9, holes: 0.0, seed })
    }

    /// With every fifth row missing, 60 units in 15 groups and 10 years.
    pub fn unbalanced(seed: u64) -> Table {
        Table::seeded(Shape { units: 60, periods: 10, holes: 0.2, seed })
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.unit.len()
    }

    /// True when there is no row.
    pub fn is_empty(&self) -> bool {
        self.unit.is_empty()
    }

    /// A column of numbers; empty for an unknown name.
    pub fn column(&self, name: &str) -> &[f64] {
        self.numbers.iter().find(|it| it.0 == name).map_or(&[], |it| &it.1)
    }

    /// The same rows in the order given, repeated or left out as it says.
    pub fn rows(&self, order: &[usize]) -> Table {
        Table {
            unit: order.iter().map(|&it| self.unit[it].clone()).collect(),
            group: order.iter().map(|&it| self.group[it].clone()).collect(),
            year: order.iter().map(|&it| self.year[it]).collect(),
            numbers: self
                .numbers
                .iter()
                .map(|(name, values)| (*name, order.iter().map(|&it| values[it]).collect()))
                .collect(),
        }
    }

    /// The same table with one column changed row by row.
    pub fn with(mut self, name: &'static str, change: impl Fn(f64) -> f64) -> Table {
        match self.numbers.iter_mut().find(|it| it.0 == name) {
            Some((_, values)) => values.iter_mut().for_each(|it| *it = change(*it)),
            None => self.numbers.push((name, vec![change(f64::NAN); self.unit.len()])),
        }
        self
    }

    /// The same table with other names of units.
    pub fn rename_units(mut self, name: impl Fn(&str) -> String) -> Table {
        self.unit.iter_mut().for_each(|it| *it = name(it));
        self
    }

    /// The same table with other names of groups.
    pub fn rename_groups(mut self, name: impl Fn(&str) -> String) -> Table {
        self.group.iter_mut().for_each(|it| *it = name(it));
        self
    }

    /// The table twice, the second time with new units and groups.
    pub fn twice(&self) -> Table {
        let mut both = self.clone();
        both.unit.extend(self.unit.iter().map(|it| format!("{it} again")));
        both.group.extend(self.group.iter().map(|it| format!("{it} again")));
        both.year.extend(&self.year);
        for ((_, values), (_, more)) in both.numbers.iter_mut().zip(&self.numbers) {
            values.extend(more);
        }
        both
    }

    /// As a panel of `unit` and `year`.
    ///
    /// # Errors
    /// Repeated rows.
    pub fn panel(&self) -> Result<Panel, PanelError> {
        self.panel_named(|it| it.into())
    }

    /// As a panel of `unit` and `year`, whose numbers are what is declared.
    ///
    /// # Errors
    /// Repeated rows, and codes that jump or are none of the format.
    pub fn panel_as(&self, format: Option<TimeFormat>) -> Result<Panel, PanelError> {
        self.panel_of(|it| it.into(), format)
    }

    /// As [`Table::panel`], every column under another name.
    ///
    /// # Errors
    /// Repeated rows and repeated names.
    pub fn panel_named(&self, name: impl Fn(&str) -> Name) -> Result<Panel, PanelError> {
        self.panel_of(name, None)
    }

    fn panel_of(&self, name: impl Fn(&str) -> Name, format: Option<TimeFormat>) -> Result<Panel, PanelError> {
        let units = Codes::from_text(self.unit.iter().map(|it| Some(it.as_str())));
        let builder = PanelBuilder::new(self.len())
            .index(name("unit"), units, name("year"), self.year.clone())
            .time_format(format);
        self.columns(builder, name).build()
    }

    /// As rows without unit and time, which may repeat; `unit` and `year` are columns.
    ///
    /// # Errors
    /// None that a table can cause.
    pub fn unindexed(&self) -> Result<Panel, PanelError> {
        let units = Codes::from_text(self.unit.iter().map(|it| Some(it.as_str())));
        let years = self.year.iter().map(|it| f64::from(*it)).collect();
        let builder = PanelBuilder::new(self.len())
            .column("unit".into(), Column::Codes(units))
            .column("year".into(), Column::real(years));
        self.columns(builder, |it| it.into()).build()
    }

    fn columns(&self, builder: PanelBuilder, name: impl Fn(&str) -> Name) -> PanelBuilder {
        let groups = Codes::from_text(self.group.iter().map(|it| Some(it.as_str())));
        let builder = builder.column(name("group"), Column::Codes(groups));
        let add = |builder: PanelBuilder, (it, values): &(&'static str, Vec<f64>)| {
            builder.column(name(it), Column::real(values.clone()))
        };
        self.numbers.iter().fold(builder, add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_decide_everything() {
        assert_eq!(Table::unbalanced(1), Table::unbalanced(1));
        assert_ne!(Table::unbalanced(1).column("y"), Table::unbalanced(2).column("y"));
        let table = Table::balanced(3);
        assert_eq!(table.len(), 48 * 9);
        assert!(Table::unbalanced(3).len() < 60 * 10);
    }

    #[test]
    fn normal_numbers_are_normal() {
        let mut random = Random::new(4);
        let draws: Vec<f64> = (0..20_000).map(|_| random.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 2e4;
        let variance = draws.iter().map(|it| it * it).sum::<f64>() / 2e4;
        // Three standard errors: 3 / sqrt(n) and 3 sqrt(2 / n).
        assert!(mean.abs() < 0.0213 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
        let mut order = random.order(50);
        assert_ne!(order, (0..50).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..50).collect::<Vec<_>>());
    }
}
