//! The numbers of a figure as a table, to lie beside it.

use super::{
    AdoptionMap, BalancePlot, BarPlot, EventStudyPlot, Figure, FigureKind, ForestPlot, Interval, LinePlot,
    PlaceboDraws, ScatterPlot,
};
use crate::{
    density::bandwidth,
    language::{Language, Word},
    table::{Cell, HeaderRow, Row, Table},
};

impl Figure {
    /// The numbers that are drawn, in the words of the figure's language.
    pub fn table(&self) -> Table {
        let mut table = Table::new(&self.id, &self.title);
        table.simulated = self.simulated;
        table.notes.clone_from(&self.notes);
        let words = Words { language: self.language, decimals: self.decimals };
        match &self.kind {
            FigureKind::EventStudy(it) => words.event_study(it, &mut table),
            FigureKind::Placebo(it) => words.placebo(it, &mut table),
            FigureKind::Balance(it) => words.balance(it, &mut table),
            FigureKind::Forest(it) => words.forest(it, &mut table),
            FigureKind::Lines(it) => words.lines(it, &mut table),
            FigureKind::Bars(it) => words.bars(it, &mut table),
            FigureKind::Adoption(it) => words.adoption(it, &mut table),
            FigureKind::Scatter(it) => words.scatter(it, (&self.x_label, &self.y_label), &mut table),
        }
        table
    }
}

struct Words {
    language: Language,
    decimals: u8,
}

impl Words {
    fn event_study(&self, plot: &EventStudyPlot, table: &mut Table) {
        let banded = plot.series.iter().flat_map(|it| &it.points).any(|it| it.simultaneous.is_some());
        let mut names = vec![Word::EventTime, Word::Estimate, Word::Low, Word::High];
        if banded {
            names.extend([Word::SimultaneousLow, Word::SimultaneousHigh]);
        }
        self.header(table, &names);
        for series in &plot.series {
            if 1 < plot.series.len() {
                table.body.push(Row::Heading(series.label.clone()));
            }
            for point in &series.points {
                let mut cells = vec![self.number(point.estimate)];
                cells.extend(self.interval(point.pointwise));
                if banded {
                    cells.extend(self.interval(point.simultaneous));
                }
                let mark = if point.reference { self.word(Word::ReferenceMark) } else { "" };
                table.body.push(Row::cells(format!("{} {mark}", point.time_text()).trim_end(), cells));
            }
        }
    }

    fn placebo(&self, plot: &PlaceboDraws, table: &mut Table) {
        self.header(table, &[Word::Draw, Word::Estimate, Word::PValue]);
        table.body.push(Row::cells(self.word(Word::Actual), [self.number(plot.actual), Cell::Empty]));
        let width = bandwidth(&plot.estimates, None);
        table.body.push(Row::cells(self.word(Word::Bandwidth), [self.number(width), Cell::Empty]));
        table.body.push(Row::Rule);
        for (at, (estimate, p)) in plot.estimates.iter().zip(&plot.p_values).enumerate() {
            let cells = [self.number(*estimate), self.number(*p)];
            table.body.push(Row::cells((at + 1).to_string(), cells));
        }
    }

    fn balance(&self, plot: &BalancePlot, table: &mut Table) {
        let covariate = self.word(Word::Covariate);
        let panels = plot.panels.iter().map(|it| (it.label.as_str(), 2));
        table.header.push(HeaderRow::spans(std::iter::once(("", 1)).chain(panels)));
        let pair = [self.word(Word::Before), self.word(Word::After)];
        let pairs = plot.panels.iter().flat_map(|_| pair);
        table.header.push(HeaderRow::new(std::iter::once(covariate).chain(pairs)));
        let rows = plot.panels.first().map_or(0, |it| it.rows.len());
        for at in 0..rows {
            let found: Vec<_> = plot.panels.iter().filter_map(|it| it.rows.get(at)).collect();
            let label = found.first().map_or("", |it| it.covariate.as_str());
            let cells = found.iter().flat_map(|it| [self.number(it.before), self.number(it.after)]);
            table.body.push(Row::cells(label, cells));
        }
    }

    fn forest(&self, plot: &ForestPlot, table: &mut Table) {
        self.header(table, &[Word::Label, Word::Estimate, Word::Low, Word::High]);
        for group in &plot.groups {
            if !group.label.is_empty() {
                table.body.push(Row::Heading(group.label.clone()));
            }
            for row in &group.rows {
                let cells = std::iter::once(self.number(row.estimate)).chain(self.interval(row.interval));
                table.body.push(Row::cells(&row.label, cells));
            }
        }
    }

    fn lines(&self, plot: &LinePlot, table: &mut Table) {
        self.header(table, &[Word::Series, Word::X, Word::Value]);
        for panel in &plot.panels {
            if !panel.label.is_empty() {
                table.body.push(Row::Heading(panel.label.clone()));
            }
            for line in &panel.lines {
                for (x, y) in line.x.iter().zip(&line.y) {
                    let x = Cell::Number { value: *x, digits: crate::Digits::Significant(6) };
                    table.body.push(Row::cells(&line.label, [x, self.number(*y)]));
                }
            }
        }
    }

    fn bars(&self, plot: &BarPlot, table: &mut Table) {
        let labels = plot.series.iter().map(|it| it.label.as_str());
        table.header.push(HeaderRow::new(std::iter::once(self.word(Word::Label)).chain(labels)));
        for (at, category) in plot.categories.iter().enumerate() {
            let values = plot.series.iter().map(|it| it.values.get(at).copied().unwrap_or(f64::NAN));
            table.body.push(Row::cells(category, values.map(|it| self.number(it))));
        }
    }

    fn adoption(&self, map: &AdoptionMap, table: &mut Table) {
        let periods = map.periods.iter().map(ToString::to_string);
        let fixed = [String::new(), self.word(Word::Units).to_owned()];
        table.header.push(HeaderRow::new(fixed.into_iter().chain(periods)));
        for band in &map.bands {
            let share = |it: &f64| Cell::Number { value: *it, digits: crate::Digits::Decimals(2) };
            let cells = std::iter::once(Cell::Count(band.units)).chain(band.observed.iter().map(share));
            table.body.push(Row::cells(&band.label, cells));
        }
        table.notes.push(self.word(Word::ObservedShare).to_owned());
    }

    fn scatter(&self, plot: &ScatterPlot, (x, y): (&str, &str), table: &mut Table) {
        let or = |label: &str, word| if label.is_empty() { self.word(word) } else { label }.to_owned();
        let labels = [self.word(Word::Series).to_owned(), or(x, Word::X), or(y, Word::Value)];
        table.header.push(HeaderRow::new(labels));
        for series in &plot.series {
            for (x, y) in series.x.iter().zip(&series.y) {
                table.body.push(Row::cells(&series.label, [self.number(*x), self.number(*y)]));
            }
        }
        for level in &plot.levels {
            table.body.push(Row::cells(&level.label, [Cell::Empty, self.number(level.at)]));
        }
    }

    fn header(&self, table: &mut Table, names: &[Word]) {
        table.header.push(HeaderRow::new(names.iter().map(|it| self.word(*it))));
    }

    fn interval(&self, interval: Option<Interval>) -> [Cell; 2] {
        interval.map_or([Cell::Empty, Cell::Empty], |it| [self.number(it.low), self.number(it.high)])
    }

    fn number(&self, value: f64) -> Cell {
        Cell::decimals(value, self.decimals)
    }

    fn word(&self, word: Word) -> &'static str {
        self.language.word(word)
    }
}
