//! `parallax explain-se`: the arithmetic behind one standard error, and what other rules give.

use std::io::Write;

use parallax_base::with_suggestion;
use parallax_model::{Estimate, ModelSpec, SmallSample};
use parallax_report::{Cell, Digits, Format, HeaderRow, Row, Table, format_number, render};

use crate::{DriverError, Outcome, args::ExplainSe, commands::fit::Request};

/// Fits under the requested rules, prints their arithmetic, then fits under every preset.
pub fn run(arguments: &ExplainSe, out: &mut dyn Write) -> Result<Outcome, DriverError> {
    let request = Request::new(&arguments.model)?;
    let loaded = request.load()?;
    let estimate = request.fit(&loaded, &request.spec)?;
    let term = find_term(&estimate, arguments.term.as_deref())?;
    if loaded.simulated() {
        writeln!(out, "simulated data; no number is a finding\n")?;
    }
    writeln!(out, "term                 {term}")?;
    writeln!(out, "covariance           {}", estimate.vcov.spec)?;
    if let Some(it) = &estimate.sample.weights {
        writeln!(out, "weights              {it}")?;
    }
    writeln!(out, "{}", estimate.vcov.arithmetic)?;
    if estimate.distribution == parallax_model::Distribution::Normal {
        writeln!(out, "compared with        the normal distribution, whatever the t degrees of freedom")?;
    }
    if let Some(row) = estimate.row(&term, 0.95) {
        let error = format_number(row.std_error, Digits::Significant(9));
        writeln!(out, "standard error       {error}")?;
    }
    let data = loaded.notes.iter().map(ToString::to_string);
    let notes = data.chain(request.note.clone()).chain(estimate.notes.iter().map(ToString::to_string));
    for note in notes {
        writeln!(out, "note                 {note}")?;
    }
    writeln!(out)?;
    let mut table = Table::new("explain-se", "Under each program's rules");
    table.header.push(HeaderRow::new(["Rules", "K", "Factor", "df", "Std. error", "t or z", "p"]));
    for rules in SmallSample::PRESETS {
        let spec = ModelSpec { small_sample: rules, ..request.spec.clone() };
        let cells = match request.fit(&loaded, &spec) {
            Ok(it) => numbers(&it, &term),
            Err(it) => refusal(&it, &mut table, rules),
        };
        table.body.push(Row::cells(rules.to_string(), cells));
    }
    write!(out, "{}", render(&table, Format::Text))?;
    Ok(Outcome::Done)
}

fn find_term(estimate: &Estimate, wanted: Option<&str>) -> Result<String, DriverError> {
    let known: Vec<String> = estimate.terms.iter().map(ToString::to_string).collect();
    match wanted {
        None => {
            known.into_iter().next().ok_or_else(|| DriverError::Request("the model has no term".to_owned()))
        }
        Some(it) if known.iter().any(|term| term == it) => Ok(it.to_owned()),
        Some(it) => {
            let hint = with_suggestion(it, known.iter().map(String::as_str));
            Err(DriverError::Request(format!("no term `{it}` in the estimate{hint}")))
        }
    }
}

fn numbers(estimate: &Estimate, term: &str) -> Vec<Cell> {
    let arithmetic = &estimate.vcov.arithmetic;
    let significant = |value: f64| Cell::Number { value, digits: Digits::Significant(9) };
    let Some(row) = estimate.row(term, 0.95) else { return vec![Cell::Empty; 6] };
    let df = match estimate.distribution {
        parallax_model::Distribution::Normal => Cell::text("normal"),
        parallax_model::Distribution::StudentT(df) => significant(df),
    };
    vec![
        Cell::Count(arithmetic.k as u64),
        significant(arithmetic.factor),
        df,
        significant(row.std_error),
        significant(row.statistic),
        significant(row.p_value),
    ]
}

/// A preset whose program does not allow the request has no number, and says why below.
fn refusal(error: &DriverError, table: &mut Table, rules: SmallSample) -> Vec<Cell> {
    table.notes.push(format!("{rules}: {error}."));
    let rest = std::iter::repeat_n(Cell::Empty, 5);
    std::iter::once(Cell::text("refused")).chain(rest).collect()
}
