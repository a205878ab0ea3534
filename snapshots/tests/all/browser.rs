//! The report of a study in a real browser: complete, alone, and readable on wide and narrow screens.

use std::{fs, path::PathBuf, process::Command};

use serde_json::Value;

use crate::support::{folder, json, parallax, read, root, text};

/// Where a browser is asked for its measures of the page, which has no script of its own.
const WRAPPER: &str = r##"<!DOCTYPE html><meta charset="utf-8">
<iframe src="cbec-resilience.html" style="width:1280px;height:900px;border:0"></iframe>
<iframe src="cbec-resilience.html" style="width:400px;height:900px;border:0"></iframe>
<pre id="measures"></pre>
<script>
function measure(frame) {
  const page = frame.contentDocument, root = page.documentElement;
  const ids = [...page.querySelectorAll("[id]")].map(it => it.id);
  const text = name => [...page.querySelectorAll(name)].map(it => it.textContent).join(" ");
  return {
    width: root.clientWidth, needed: root.scrollWidth, ids,
    broken: [...page.querySelectorAll("a[href^='#']")].map(it => it.hash.slice(1)).filter(it => !ids.includes(it)),
    unnamed: [...page.querySelectorAll("svg")].filter(it => !it.querySelector("title")?.textContent).length,
    pictures: page.querySelectorAll("figure svg").length, numbers: page.querySelectorAll("figure details table").length,
    header: text("header"), footer: text("footer"), table2: text("#table-table2 td"),
    coloured: [...page.querySelectorAll("td.verdict")].every(it => it.textContent.trim() &&
      frame.contentWindow.getComputedStyle(it).backgroundColor !== "rgba(0, 0, 0, 0)"),
    verdicts: page.querySelectorAll("td.verdict").length,
    fetched: frame.contentWindow.performance.getEntriesByType("resource").map(it => it.name),
  };
}
window.onload = () => {
  const frames = [...document.querySelectorAll("iframe")];
  document.getElementById("measures").textContent = JSON.stringify(frames.map(measure));
};
</script>
"##;

#[test]
fn the_report_is_whole_in_a_browser() {
    let out = folder();
    parallax(["reproduce", "datasets/cbec-resilience", "--quiet", "--out", text(out.path())]).done();
    let made = out.path().join("cbec-resilience/replica");
    let page = read(&made.join("report/cbec-resilience.html"));
    for start in ["src=\"", "href=\"", "url("] {
        let foreign = |it: &&str| !(it.starts_with('#') || it.starts_with("data:"));
        let found: Vec<&str> = page.split(start).skip(1).filter(foreign).collect();
        assert!(found.is_empty(), "{start}{:.80}", found[0]);
    }
    let Some(measures) = measures(&made.join("report")) else { return };
    let estimate = &json(&read(&made.join("table2.json")))["body"][0]["row"]["cells"][2]["coefficient"];
    let estimate = format!("{:.3}", estimate["estimate"].as_f64().unwrap());
    for frame in measures.as_array().unwrap() {
        let [width, needed] = ["width", "needed"].map(|it| frame[it].as_u64().unwrap());
        assert!(needed <= width, "the page is {needed} pixels wide in a window of {width}");
        let ids: Vec<&str> = frame["ids"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for id in wanted() {
            assert!(ids.contains(&id.as_str()), "no `{id}` in the page: {ids:?}");
        }
        for empty in ["broken", "fetched"] {
            assert_eq!(frame[empty], json("[]"), "{empty}");
        }
        assert_eq!(frame["unnamed"], 0, "pictures without a text for those who cannot see them");
        assert!(0 < frame["pictures"].as_u64().unwrap() && frame["pictures"] == frame["numbers"]);
        assert!(0 < frame["verdicts"].as_u64().unwrap() && frame["coloured"] == true);
        for place in ["header", "footer"] {
            assert!(frame[place].as_str().unwrap().contains("simulated data"), "{place}: {}", frame[place]);
        }
        let cells = frame["table2"].as_str().unwrap();
        assert!(cells.contains(&estimate), "no {estimate} in {cells}");
    }
    assert_eq!([&measures[0]["width"], &measures[1]["width"]].map(|it| it.as_u64().unwrap()), [1280, 400]);
}

#[test]
fn the_report_of_a_battery_is_whole_in_a_browser() {
    let (data, out) = (crate::did::panel(), folder());
    let words = crate::did::words(&data);
    parallax(words.iter().map(String::as_str).chain(["--quiet", "--out", text(out.path())])).done();
    let wrapper = WRAPPER.replace("cbec-resilience.html", "did.html");
    let Some(measures) = measured(out.path(), &wrapper) else { return };
    for frame in measures.as_array().unwrap() {
        let [width, needed] = ["width", "needed"].map(|it| frame[it].as_u64().unwrap());
        assert!(needed <= width, "the page is {needed} pixels wide in a window of {width}");
        let ids: Vec<&str> = frame["ids"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for id in ["table-effects", "figure-effects-figure", "figure-adoption-figure", "conventions"] {
            assert!(ids.contains(&id), "no `{id}` in the page: {ids:?}");
        }
        assert_eq!((&frame["broken"], &frame["fetched"]), (&json("[]"), &json("[]")));
        assert_eq!(frame["unnamed"], 0);
        assert!(0 < frame["pictures"].as_u64().unwrap() && frame["pictures"] == frame["numbers"]);
    }
}

/// Anchors of every table, comparison and figure of the study.
fn wanted() -> Vec<String> {
    let study = read(&root().join("datasets/cbec-resilience/study.toml"));
    let study = parallax_study::StudyFile::parse(&study).unwrap();
    let here = |it: &[String]| it.is_empty() || it.iter().any(|it| it == "replica");
    let tables = study.tables.iter().filter(|it| here(&it.sources)).map(|it| format!("table-{}", it.id));
    let figures = study.figures.iter().filter(|it| here(&it.sources)).map(|it| format!("figure-{}", it.id));
    let parts = ["printed-table1", "printed-table2", "sample-flow", "data-files", "conventions"];
    tables.chain(figures).chain(parts.map(str::to_owned)).collect()
}

/// What Chromium says of the page in each width; nothing, said aloud, where there is no Chromium.
fn measures(report: &std::path::Path) -> Option<Value> {
    measured(report, WRAPPER)
}

#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn measured(report: &std::path::Path, page: &str) -> Option<Value> {
    let Some(browser) = browser() else {
        println!("skipped: no chromium and no chrome in PATH");
        return None;
    };
    let (wrapper, profile) = (report.join("wrapper.html"), folder());
    fs::write(&wrapper, page).unwrap();
    let ran = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
        .args([
            "--allow-file-access-from-files",
            "--enable-logging=stderr",
            "--hide-scrollbars",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", wrapper.display()))
        .output()
        .unwrap();
    let (dom, log) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    let complaint = log.lines().find(|it| it.contains("CONSOLE"));
    assert_eq!(complaint, None, "the browser complains");
    let measures = dom.split_once("<pre id=\"measures\">").and_then(|it| it.1.split_once("</pre>"));
    let measures = measures.unwrap_or_else(|| panic!("no measures: {dom}{log}")).0;
    Some(json(&measures.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")))
}

fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let all = names.iter().flat_map(|name| folders.iter().map(move |it| it.join(name)));
    all.into_iter().find(|it| it.is_file())
}
