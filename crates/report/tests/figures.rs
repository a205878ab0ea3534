//! Figures as data: they read back, refuse what cannot be drawn, and have a table.

#[path = "common/figures.rs"]
mod figures;

use parallax_report::{
    BalancePanel, BalancePlot, BalanceRow, EventPoint, EventSeries, EventStudyPlot, Figure, FigureKind,
    Format, Language, PlaceboDraws, render,
};

#[test]
fn figures_read_back() {
    for figure in Language::ALL.into_iter().flat_map(figures::all) {
        figure.check().unwrap();
        let text = serde_json::to_string(&figure).unwrap();
        let back: Figure = serde_json::from_str(&text).unwrap();
        // NaN is not equal to itself; as text it is.
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
    }
    let unknown =
        r#"{"id":"a","title":"","simulated":false,"kind":{"bars":{"categories":[],"series":[],"x":1}}}"#;
    assert!(serde_json::from_str::<Figure>(unknown).unwrap_err().to_string().contains("unknown field `x`"));
}

#[test]
fn every_figure_has_a_table_that_fits() {
    for figure in Language::ALL.into_iter().flat_map(figures::all) {
        let table = figure.table();
        table.check().unwrap();
        assert_eq!(render(&table, Format::Text).matches("simulated").count(), 2, "{}", figure.id);
    }
}

#[test]
fn table_of_an_event_study() {
    let text = render(&figures::all(Language::En)[0].table(), Format::Csv);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "Periods since adoption,Estimate,Low,High,Simultaneous low,Simultaneous high");
    assert_eq!(lines[2], "≤-5,-0.400,-2.100,1.300,-2.865,2.065");
    assert_eq!(lines[6], "-1 (reference),0.000,,,,");
    assert_eq!(lines[13], "≥6,6.000,4.180,7.820,3.361,8.639");
}

#[test]
fn a_balance_plot_pairs_rows_by_covariate() {
    let panel = |label: &str, rows: &[(&str, f64)]| BalancePanel {
        label: label.to_owned(),
        rows: (rows.iter())
            .map(|(name, before)| BalanceRow { covariate: (*name).to_owned(), before: *before, after: 0.5 })
            .collect(),
    };
    let plot = |panels| Figure::new("f", "Balance", FigureKind::Balance(BalancePlot::new(panels)));
    let figure = plot(vec![
        panel("A", &[("age", 1.0), ("black", 2.0), ("u75", 3.0)]),
        panel("B", &[("age", 1.0), ("nodegree", 4.0), ("black", 2.0)]),
    ]);
    figure.check().unwrap();
    let body: Vec<String> = render(&figure.table(), Format::Csv).lines().skip(3).map(str::to_owned).collect();
    assert_eq!(
        body,
        [
            "age,1.000,0.500,1.000,0.500",
            "nodegree,,,4.000,0.500",
            "black,2.000,0.500,2.000,0.500",
            "u75,3.000,0.500,,"
        ],
    );
    let twice = plot(vec![panel("A", &[("age", 1.0), ("age", 2.0)]), panel("B", &[("age", 1.0)])]);
    assert!(twice.check().unwrap_err().to_string().contains("other covariates"));
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let message = |kind| Figure::new("f", "F", kind).check().unwrap_err().to_string();
    let placebo = |estimates: &[f64], p: &[f64], actual| {
        message(FigureKind::Placebo(PlaceboDraws::new(estimates.to_vec(), p.to_vec(), actual)))
    };
    assert_eq!(placebo(&[1.0], &[], 0.0), "figure `f`: 1 estimates but 0 p-values");
    assert_eq!(placebo(&[1.0], &[1.5], 0.0), "figure `f`: p-value 1.5 is not between 0 and 1");
    assert!(placebo(&[1.0], &[0.5], f64::NAN).contains("the actual estimate has no finite number"));
    let mut series = EventSeries::new("A", 0.95);
    series.points = vec![EventPoint::new(1, 0.5, 0.0, f64::INFINITY)];
    let plot = |it: &EventSeries| FigureKind::EventStudy(EventStudyPlot::new(vec![it.clone()]));
    assert_eq!(message(plot(&series)), "figure `f`: a number of `A` is infinite; it cannot be drawn");
    series.points = vec![EventPoint::new(1, 0.5, 0.0, 1.0), EventPoint::reference(-1)];
    assert_eq!(message(plot(&series)), "figure `f`: series `A`: times do not rise");
}
