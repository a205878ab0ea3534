//! Pictures of figures: snapshots of the SVG, and what both pictures promise.
#![allow(clippy::unwrap_used, reason = "helpers of tests stand outside the functions the lint exempts")]

#[path = "common/figures.rs"]
mod figures;

use parallax_report::{
    BarPlot, BarSeries, EventBin, EventPoint, EventStudyPlot, Figure, FigureError, FigureKind, Language, png,
    svg,
};

/// `FIGURES_OUT=FOLDER cargo test -p parallax-report --test pictures` writes the pictures to be looked at.
#[test]
fn every_kind_is_drawn_in_both_languages() {
    let folder = std::env::var_os("FIGURES_OUT").map(std::path::PathBuf::from);
    for figure in Language::ALL.into_iter().flat_map(figures::all) {
        let (svg, png) = (svg(&figure).unwrap(), png(&figure).unwrap());
        if let Some(it) = &folder {
            std::fs::write(it.join(format!("{}.svg", figure.id)), &svg).unwrap();
            std::fs::write(it.join(format!("{}.png", figure.id)), &png).unwrap();
        }
        assert!(svg.len() < 30_000, "{}: {} bytes", figure.id, svg.len());
        assert!(png.len() < 150_000, "{}: {} bytes", figure.id, png.len());
        let mark = if figure.language == Language::En { "imulated" } else { "模拟数据" };
        // In the accessible title, the head and the foot.
        assert_eq!(svg.matches(mark).count(), 3, "{}", figure.id);
    }
}

#[test]
fn ten_event_studies_can_be_told_apart() {
    let figure = ten_event_studies();
    let (svg, png) = (svg(&figure).unwrap(), png(&figure).unwrap());
    if let Some(it) = std::env::var_os("FIGURES_OUT").map(std::path::PathBuf::from) {
        std::fs::write(it.join("ten.png"), &png).unwrap();
    }
    for name in ["callaway-santanna", "two-stage"] {
        assert!(svg.contains(name), "no {name} in the legend");
    }
    assert!(svg.contains("pointwise interval") && !svg.contains("simultaneous interval"));
}

#[test]
fn pictures_are_what_was_reviewed() {
    for figure in figures::all(Language::En).iter().chain(&figures::all(Language::Zh)[..1]) {
        insta::assert_snapshot!(figure.id.clone(), svg(figure).unwrap());
    }
}

#[test]
fn real_data_have_no_mark() {
    let mut figure = figures::all(Language::En).remove(0);
    figure.simulated = false;
    assert!(!svg(&figure).unwrap().contains("imulated data"));
}

#[test]
fn a_png_has_300_dots_an_inch_and_the_same_bytes_every_time() {
    let figure = figures::all(Language::Zh).remove(7);
    let first = png(&figure).unwrap();
    assert_eq!(first, png(&figure).unwrap());
    assert_eq!(u32::from_be_bytes(first[16..20].try_into().unwrap()), 1800);
    let at = first.windows(4).position(|it| it == b"pHYs").unwrap() + 4;
    assert_eq!(u32::from_be_bytes(first[at..at + 4].try_into().unwrap()), 11_811);
    let chinese = figures::all(Language::En).remove(7);
    assert_ne!(first, png(&chinese).unwrap());
}

#[test]
fn a_character_that_the_font_lacks_is_named() {
    let bars = vec![BarSeries { label: "a".to_owned(), values: vec![1.0] }];
    let kind = FigureKind::Bars(BarPlot { categories: vec!["서울 𝛼".to_owned()], series: bars });
    let figure = Figure::new("cities", "Cities", kind);
    assert!(svg(&figure).unwrap().contains("서울"));
    let error = png(&figure).unwrap_err();
    assert!(
        matches!(&error, FigureError::Glyph { characters, .. } if characters == "`서`, `울`, `𝛼`"),
        "{error}"
    );
}

#[test]
fn markup_in_labels_is_text() {
    let mut figure = figures::all(Language::En).remove(0);
    figure.x_label = "<script>alert(1)</script> & \"more\"".to_owned();
    figure.title = "</title><script>".to_owned();
    let svg = svg(&figure).unwrap();
    assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;"));
}

#[test]
fn many_draws_stay_light_and_say_so() {
    let mut figure = Figure::new("placebo", "Placebo", FigureKind::Placebo(figures::placebo(100_000)));
    figure.language = Language::Zh;
    let svg = svg(&figure).unwrap();
    assert!(svg.len() < 60_000, "{} bytes", svg.len());
    assert!(svg.contains("散点仅绘出 100,000 次抽样中的 2,000 次"));
}

/// The x of each tick label of the lower axis, with its text.
fn tick_labels(svg: &str) -> Vec<(f64, String)> {
    let group = svg.rsplit("<g text-anchor=\"middle\">").next().unwrap().split("</g>").next().unwrap();
    let texts = group.split("<text x=\"").skip(1);
    let pair = |it: &str| {
        let (x, rest) = it.split_once('"').unwrap();
        let text = rest.split_once('>').unwrap().1.split_once('<').unwrap().0;
        (x.parse().unwrap(), text.replace("&lt;", "<"))
    };
    texts.map(pair).collect()
}

#[test]
fn labels_of_long_event_windows_do_not_touch() {
    let FigureKind::EventStudy(mut plot) = figures::all(Language::En).remove(0).kind else { panic!() };
    let last = plot.series[0].points.pop().unwrap();
    for time in 6..60 {
        plot.series[0].points.push(EventPoint { time, bin: EventBin::Exact, ..last.clone() });
    }
    plot.series[0].points.push(EventPoint { time: 60, ..last });
    let labels = tick_labels(&svg(&Figure::new("long", "Long", FigureKind::EventStudy(plot))).unwrap());
    let texts: Vec<&str> = labels.iter().map(|it| it.1.as_str()).collect();
    assert_eq!(texts, ["≤−5", "0", "5", "10", "15", "20", "25", "30", "35", "40", "45", "50", "55", "≥60"]);
    // Five units a character are more than any takes.
    let room = |it: &[(f64, String)]| {
        it[1].0 - it[0].0 - 2.5 * (it[0].1.chars().count() + it[1].1.chars().count()) as f64
    };
    assert!(labels.windows(2).all(|it| 0.0 < room(it)), "{labels:?}");
}

/// A series that ends at "5 and earlier" beside one that goes on to -8 and one with other ends.
fn uneven_ends() -> Figure {
    let binned = figures::series("binned", 0.0, true);
    let mut exact = figures::series("exact", 0.4, true);
    let first = exact.points[0].clone();
    exact.points.iter_mut().for_each(|it| it.bin = EventBin::Exact);
    for time in [-6, -7, -8] {
        exact.points.insert(0, EventPoint { time, bin: EventBin::Exact, ..first.clone() });
    }
    let mut narrow = figures::series("narrow", -0.4, true);
    narrow.points.retain(|it| -3 <= it.time && it.time <= 4);
    narrow.points[0].bin = EventBin::OrEarlier;
    let kind = FigureKind::EventStudy(EventStudyPlot::new(vec![binned, exact, narrow]));
    Figure::new("uneven-ends", "Effects by time since adoption", kind)
}

#[test]
fn ends_that_others_go_beyond_stand_outside_of_the_numeric_axis() {
    let figure = uneven_ends();
    let (svg, png) = (svg(&figure).unwrap(), png(&figure).unwrap());
    if let Some(it) = std::env::var_os("FIGURES_OUT").map(std::path::PathBuf::from) {
        std::fs::write(it.join("uneven-ends.png"), &png).unwrap();
    }
    let numeric: Vec<String> = tick_labels(&svg).into_iter().map(|it| it.1).collect();
    let wanted: Vec<String> = (-8..=6).map(|it: i32| it.to_string().replace('-', "−")).collect();
    assert_eq!(numeric, wanted);
    // Left of the axis the narrower end is nearer to it; the upper end of `binned` is one of `exact`'s periods too.
    let x = |text: &str| {
        let at = svg.find(&format!(">{text}<")).unwrap_or_else(|| panic!("no {text}"));
        let start = svg[..at].rfind("<text x=\"").unwrap() + 9;
        svg[start..].split('"').next().unwrap().parse::<f64>().unwrap()
    };
    let places = [x("≤−5"), x("≤−3"), tick_labels(&svg)[0].0, tick_labels(&svg)[14].0, x("≥6")];
    assert!(places.is_sorted(), "{places:?}");
    assert!(svg.contains("this and all periods beyond"));
}

#[test]
fn ends_that_all_series_share_are_on_the_axis() {
    let svg = svg(&figures::all(Language::En).remove(1)).unwrap();
    let labels = tick_labels(&svg);
    assert_eq!((labels[0].1.as_str(), labels[11].1.as_str()), ("≤−5", "≥6"));
    assert!(!svg.contains("all periods beyond"));
}

/// More estimators than one figure of a battery has, over one another.
fn ten_event_studies() -> Figure {
    let names = [
        "callaway-santanna",
        "dcdh",
        "event-study",
        "extended-twfe",
        "gardner",
        "imputation",
        "lp-did",
        "stacked",
        "sun-abraham",
        "two-stage",
    ];
    let all = names.iter().enumerate().map(|(at, it)| figures::series(it, 0.15 * at as f64, true));
    let kind = FigureKind::EventStudy(EventStudyPlot::new(all.collect()));
    let mut figure = Figure::new("ten", "Effects by time since adoption", kind);
    figure.simulated = true;
    figure
}
