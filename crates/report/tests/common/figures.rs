//! A figure of each kind, with invented numbers, in both languages.

use parallax_report::{
    AdoptionBand, AdoptionMap, BalancePanel, BalancePlot, BalanceRow, BarPlot, BarSeries, EventBin,
    EventPoint, EventSeries, EventStudyPlot, Figure, FigureKind, ForestGroup, ForestPlot, ForestRow,
    Interval, Language, Level, Line, LinePanel, LinePlot, Marker, PlaceboDraws, ScatterPlot, ScatterSeries,
    kernel_density,
};

/// Every kind in a language; simulated, because the numbers are invented.
pub fn all(language: Language) -> Vec<Figure> {
    let say = |en: &'static str, zh: &'static str| if language == Language::En { en } else { zh };
    let kinds = [
        ("event-study", say("Event study", "平行趋势检验"), event_study(language)),
        (
            "event-studies",
            say("Event study, four estimators", "事件研究：四种估计量"),
            event_studies(language),
        ),
        ("placebo", say("Placebo test", "安慰剂检验"), FigureKind::Placebo(placebo(500))),
        ("balance", say("Balance before and after matching", "匹配前后标准化偏差"), balance(language)),
        ("forest", say("Heterogeneity and robustness", "异质性与稳健性"), forest(language)),
        ("density", say("Density of the propensity score", "倾向得分核密度"), densities(language)),
        ("trend", say("Mean index by group", "分组均值"), trend(language)),
        ("cohorts", say("Adoption cohorts", "试点批次"), cohorts(language)),
        ("adoption", say("Adoption by cohort and period", "各批次实施时间"), adoption(language)),
        ("decomposition", say("Comparisons by weight", "两两比较的权重"), decomposition(language)),
        ("effects", say("One effect under four estimators", "四种估计量"), effects(language)),
    ];
    let figure = |(id, title, kind): (&str, &str, FigureKind)| {
        let mut figure = Figure::new(format!("{id}-{}", language.name()), title, kind);
        figure.language = language;
        figure.simulated = true;
        figure
    };
    let mut all: Vec<Figure> = kinds.into_iter().map(figure).collect();
    all[6].y_label = say("Resilience", "经济韧性").to_owned();
    all[6].x_label = say("Year", "年份").to_owned();
    all[5].x_label = say("Propensity score", "倾向得分").to_owned();
    all[7].y_label = say("Cities", "城市数").to_owned();
    all[9].x_label = say("Weight", "权重").to_owned();
    all[9].y_label = say("Estimate", "估计系数").to_owned();
    all
}

/// Even numbers between 0 and 1 in a scattered order.
pub fn scattered(at: usize) -> f64 {
    (at as f64 * 0.618_033_988_749_895 + 0.1).fract()
}

pub fn placebo(draws: usize) -> PlaceboDraws {
    let normal = |at: usize| {
        let sum: f64 = (0..6).map(|k| scattered(at * (2 * k + 1) + k * k)).sum();
        1.41 * (sum - 3.0)
    };
    let z: Vec<f64> = (1..=draws).map(normal).collect();
    let error = |at: usize| 0.6 + 0.9 * scattered(at * 17 + 5);
    let t = z.iter().enumerate().map(|(at, it)| it / error(at));
    let p = t.map(|it| (-0.7 * it.abs() - 0.42 * it * it).exp()).collect();
    PlaceboDraws::new(z.iter().map(|it| 1.4 * it).collect(), p, 5.73)
}

/// An event study of that name, moved up by `shift`.
pub fn series(label: &str, shift: f64, bands: bool) -> EventSeries {
    let mut series = EventSeries::new(label, 0.95);
    for time in -5..=6 {
        if time == -1 {
            series.points.push(EventPoint::reference(time));
            continue;
        }
        let effect = if time < 0 { 0.2 * f64::from(time % 3) } else { 1.2 + 0.8 * f64::from(time) };
        let (estimate, half) = (effect + shift, 1.1 + 0.12 * f64::from(time.abs()));
        let mut point = EventPoint::new(time, estimate, estimate - half, estimate + half);
        if bands {
            point = point.simultaneous(estimate - 1.45 * half, estimate + 1.45 * half);
        }
        let bin = match time {
            -5 => EventBin::OrEarlier,
            6 => EventBin::OrLater,
            _ => EventBin::Exact,
        };
        series.points.push(point.bin(bin));
    }
    series
}

fn event_study(_: Language) -> FigureKind {
    FigureKind::EventStudy(EventStudyPlot::new(vec![series("TWFE", 0.0, true)]))
}

fn event_studies(_: Language) -> FigureKind {
    let labels = ["Two-way fixed effects", "Sun-Abraham", "Callaway-Sant'Anna", "Borusyak-Jaravel-Spiess"];
    let all = labels.iter().zip([0.0, 0.3, -0.25, 0.5]).map(|(label, shift)| series(label, shift, false));
    FigureKind::EventStudy(EventStudyPlot::new(all.collect()))
}

fn balance(language: Language) -> FigureKind {
    let names = match language {
        Language::En => [
            "GDP per capita (log)",
            "Industrial structure",
            "Foreign direct investment as a share of GDP",
            "Government",
            "Market",
        ],
        Language::Zh => {
            ["人均地区生产总值（对数）", "产业结构", "外商直接投资占国内生产总值比重", "政府干预", "市场化"]
        }
    };
    let panel = |label: &str, shift: f64| BalancePanel {
        label: label.to_owned(),
        rows: names
            .iter()
            .zip([62.0, -35.5, 21.0, -12.0, 88.8])
            .map(|(covariate, before)| BalanceRow {
                covariate: (*covariate).to_owned(),
                before,
                after: before / 14.0 + shift,
            })
            .collect(),
    };
    let labels = match language {
        Language::En => ["Nearest neighbour", "Kernel", "Radius"],
        Language::Zh => ["最近邻匹配", "核匹配", "半径匹配"],
    };
    FigureKind::Balance(BalancePlot::new(
        labels.iter().zip([0.0, -2.0, 3.0]).map(|(l, s)| panel(l, s)).collect(),
    ))
}

fn forest(language: Language) -> FigureKind {
    let row = |label: &str, estimate: f64, half: f64| ForestRow {
        label: label.to_owned(),
        estimate,
        interval: Some(Interval { low: estimate - half, high: estimate + half }),
    };
    let mut groups = match language {
        Language::En => vec![
            ForestGroup { label: String::new(), rows: vec![row("Benchmark", 4.728, 2.1)] },
            ForestGroup {
                label: "Region".to_owned(),
                rows: vec![row("East", 6.2, 3.0), row("Centre", 3.1, 3.9), row("West", -1.2, 4.6)],
            },
            ForestGroup {
                label: "Robustness".to_owned(),
                rows: vec![
                    row("Without municipalities", 4.4, 2.3),
                    row("Winsorised at 1 and 99 percent, errors clustered by province", 4.1, 2.9),
                ],
            },
        ],
        Language::Zh => vec![
            ForestGroup { label: String::new(), rows: vec![row("基准回归", 4.728, 2.1)] },
            ForestGroup {
                label: "地区".to_owned(),
                rows: vec![row("东部", 6.2, 3.0), row("中部", 3.1, 3.9), row("西部", -1.2, 4.6)],
            },
            ForestGroup {
                label: "稳健性".to_owned(),
                rows: vec![
                    row("剔除直辖市", 4.4, 2.3),
                    row("缩尾处理（1% 与 99%），标准误聚类到省份", 4.1, 2.9),
                ],
            },
        ],
    };
    let missing = if language == Language::En { "Permutation within strata" } else { "分层置换" };
    groups[2].rows.push(ForestRow { label: missing.to_owned(), estimate: f64::NAN, interval: None });
    FigureKind::Forest(ForestPlot::new(groups, 0.95))
}

fn densities(language: Language) -> FigureKind {
    let scores = |centre: f64, spread: f64| -> Vec<f64> {
        (0..300)
            .map(|at| {
                centre + spread * (scattered(at) + scattered(at * 7 + 3) + scattered(at * 13 + 5) - 1.5)
            })
            .collect()
    };
    let line = |label: &str, values: &[f64]| {
        let found = kernel_density(values, None, 100);
        Line { label: label.to_owned(), x: found.x, y: found.y }
    };
    let [treated, control, before, after] = match language {
        Language::En => ["Treated", "Control", "Before matching", "After matching"],
        Language::Zh => ["处理组", "对照组", "匹配前", "匹配后"],
    };
    let panel = |label: &str, centre: f64| LinePanel {
        label: label.to_owned(),
        lines: vec![line(treated, &scores(0.62, 0.3)), line(control, &scores(centre, 0.33))],
    };
    FigureKind::Lines(LinePlot::new(vec![panel(before, 0.3), panel(after, 0.6)], true))
}

fn trend(language: Language) -> FigureKind {
    let years: Vec<f64> = (2009..=2020).map(f64::from).collect();
    let [pilot, other, adopted] = match language {
        Language::En => ["Pilot cities", "Other cities", "First batch"],
        Language::Zh => ["试点城市", "非试点城市", "第一批试点"],
    };
    let line = |label: &str, level: f64, slope: f64| Line {
        label: label.to_owned(),
        x: years.clone(),
        y: years.iter().map(|it| level + slope * (it - 2009.0) + 2.0 * (it * 1.7).sin()).collect(),
    };
    let mut lines = vec![line(pilot, 24.0, 1.9), line(other, 22.0, 0.8)];
    lines[1].y[4] = f64::NAN;
    let mut plot = LinePlot::new(vec![LinePanel { label: String::new(), lines }], false);
    plot.points = true;
    plot.markers.push(Marker { at: 2015.0, label: adopted.to_owned() });
    FigureKind::Lines(plot)
}

fn cohorts(language: Language) -> FigureKind {
    let [pilot, other] = match language {
        Language::En => ["East", "Centre and west"],
        Language::Zh => ["东部", "中西部"],
    };
    let bars = |label: &str, values: [f64; 6]| BarSeries { label: label.to_owned(), values: values.to_vec() };
    FigureKind::Bars(BarPlot {
        categories: ["2015", "2016", "2018", "2019", "2020", "2022"].map(str::to_owned).to_vec(),
        series: vec![
            bars(pilot, [1.0, 7.0, 8.0, 10.0, 19.0, 12.0]),
            bars(other, [0.0, 5.0, 14.0, 14.0, 27.0, 15.0]),
        ],
    })
}

/// Cohorts of very different sizes, units that come late, a period without anybody.
fn adoption(language: Language) -> FigureKind {
    let never = if language == Language::En { "never" } else { "从未实施" };
    let band = |first: Option<i32>, units: u64| AdoptionBand {
        label: format!("{} ({units})", first.map_or(never.to_owned(), |it| it.to_string())),
        units,
        first,
        observed: (0..14)
            .map(|at| if at == 6 { 0.0 } else { 1.0 - 0.5 * f64::from(u8::from(at < 3 && units < 20)) })
            .collect(),
    };
    let dates = [(2013, 4), (2015, 60), (2016, 1), (2018, 18), (2022, 35)];
    let mut bands: Vec<AdoptionBand> = dates.iter().map(|it| band(Some(it.0), it.1)).collect();
    bands.push(band(None, 160));
    FigureKind::Adoption(AdoptionMap { periods: (2008..2022).collect(), bands })
}

fn decomposition(language: Language) -> FigureKind {
    let kinds = match language {
        Language::En => ["Treated v never treated", "Earlier v later treated", "Later v earlier treated"],
        Language::Zh => ["处理组与从未处理组", "先处理组与后处理组", "后处理组与先处理组"],
    };
    let series = |(at, label): (usize, &str)| ScatterSeries {
        label: label.to_owned(),
        x: (0..6).map(|it| 0.01 + 0.12 * scattered(it * 5 + at)).collect(),
        y: (0..6).map(|it| 1.5 - at as f64 + scattered(it * 3 + at)).collect(),
    };
    let label = if language == Language::En { "TWFE" } else { "双向固定效应" };
    FigureKind::Scatter(ScatterPlot {
        series: kinds.into_iter().enumerate().map(series).collect(),
        levels: vec![Level { at: 1.1, label: label.to_owned() }],
    })
}

/// Two marks that stand near one another.
fn effects(language: Language) -> FigureKind {
    let rows = ["fixed-effects", "callaway-santanna", "imputation", "sun-abraham"];
    let row = |(at, label): (usize, &str)| {
        let estimate = 1.6 + 0.15 * at as f64;
        let interval = Some(Interval { low: estimate - 0.4, high: estimate + 0.4 });
        ForestRow { label: label.to_owned(), estimate, interval }
    };
    let rows = rows.into_iter().enumerate().map(row).collect();
    let mut plot = ForestPlot::new(vec![ForestGroup { label: String::new(), rows }], 0.95);
    let [known, twfe] = match language {
        Language::En => ["known effect", "TWFE"],
        Language::Zh => ["真实效应", "双向固定效应"],
    };
    for (at, label) in [(1.7, known), (1.6, twfe)] {
        plot.marks.push(Marker { at, label: label.to_owned() });
    }
    FigureKind::Forest(plot)
}
