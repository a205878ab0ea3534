//! What the program says when the data, the model or the user is wrong, and what it leaves alone.

use std::{fmt::Write, fs, path::Path};

use tempfile::TempDir;

use crate::support::{contents, copy_of, folder, parallax, read, text};

const WAGE: &str = "datasets/wage-panel/wage_panel.parquet";

#[test]
fn data() {
    let dir = data_files();
    let mut log = Log::new(&dir);
    let formula = "y ~ x";
    let csv = |name: &str| format!("[DIR]/{name}");
    let fit = |name: &str| {
        ["fit", "pooled-ols", "--data", &csv(name), "--unit", "id", "--time", "year", "--formula", formula]
            .map(str::to_owned)
            .to_vec()
    };
    log.case("the panel itself is fine", 0, &fit("good.csv"));
    log.case("text in a column of numbers", 1, &fit("text.csv"));
    log.case("a stray text in a regressor, which must not become dummies", 1, &fit("stray.csv"));
    log.case("a quote that is never closed", 1, &fit("quote.csv"));
    log.case("a row twice", 1, &fit("twice.csv"));
    log.case("an infinite value", 1, &fit("infinite.csv"));
    log.case("a file without a byte", 1, &fit("empty.csv"));
    log.case("a file with a header alone", 1, &fit("header.csv"));
    log.case("a row with too few fields", 1, &fit("ragged.csv"));
    log.case("a unit that is missing", 1, &fit("no-unit.csv"));
    log.case("a Parquet file cut off", 1, &fit("cut.parquet"));
    log.case("a file that is not there", 1, &fit("absent.csv"));
    log.case("an ending nobody knows", 1, &fit("good.xyz"));
    let weights = [fit("good.csv"), vec!["--weights".to_owned(), "w".to_owned()]].concat();
    log.case("a negative weight", 1, &weights);
    insta::assert_snapshot!("data", log.text);
}

#[test]
fn model() {
    let dir = data_files();
    let mut log = Log::new(&dir);
    let good = ["--data", "[DIR]/good.csv"];
    let keyed = ["--data", "[DIR]/good.csv", "--unit", "id", "--time", "year"];
    let mut case = |title: &str, code: u8, words: &[&[&str]]| {
        let words: Vec<String> = words.concat().iter().map(|it| (*it).to_owned()).collect();
        log.case(title, code, &words);
    };
    let ols: &[&str] = &["fit", "pooled-ols"];
    case("a column that is not there", 1, &[ols, &["--data", WAGE, "--formula", "lwage ~ educ + expersqr"]]);
    case("numbers too large to square", 1, &[ols, &good, &["--formula", "y ~ I(x * 1e160)"]]);
    case("an outcome that is constant", 1, &[ols, &good, &["--formula", "one ~ x"]]);
    case(
        "an outcome that the effects span",
        1,
        &[&["fit", "fixed-effects"], &keyed, &["--formula", "z ~ x | id"]],
    );
    case(
        "an estimator that is not there",
        1,
        &[&["fit", "fixed-efects"], &good, &["--formula", "y ~ x | id"]],
    );
    case(
        "an option that is not there",
        1,
        &[&["fit", "fixed-effects"], &keyed, &["--formula", "y ~ x | id", "--set", "constnat=true"]],
    );
    case(
        "an option of the wrong type",
        1,
        &[&["fit", "fixed-effects"], &keyed, &["--formula", "y ~ x | id", "--set", "constant=7"]],
    );
    case("an option without a value", 1, &[ols, &good, &["--formula", "y ~ x", "--set", "constant"]]);
    case("more parameters than rows", 1, &[ols, &good, &["--formula", "y ~ i(row)"]]);
    case(
        "regressors that effects explain",
        1,
        &[&["fit", "fixed-effects"], &keyed, &["--formula", "y ~ z | id"]],
    );
    case("a cluster that is alone", 1, &[ols, &good, &["--formula", "y ~ x", "--vcov", "cluster:one"]]);
    case("random effects without a unit", 1, &[&["fit", "random-effects"], &good, &["--formula", "y ~ x"]]);
    case(
        "a covariance the estimator lacks",
        1,
        &[&["fit", "random-effects"], &keyed, &["--formula", "y ~ x", "--vcov", "hc3"]],
    );
    case("effects where none are allowed", 1, &[ols, &good, &["--formula", "y ~ x | id"]]);
    case("no row without a missing value", 1, &[ols, &good, &["--formula", "y ~ gone"]]);
    insta::assert_snapshot!("model", log.text);
}

#[test]
fn did() {
    let dir = staggered_files();
    let mut log = Log::new(&dir);
    let keyed = ["did", "[DIR]/panel.csv", "--unit", "id", "--time", "year", "--no-report", "--outcome"];
    let mut case = |title: &str, code: u8, words: &[&str]| {
        let words = keyed.iter().chain(words).map(|it| (*it).to_owned());
        log.case(title, code, &words.collect::<Vec<_>>());
    };
    case("a treatment that is not there", 1, &["y", "--treatment", "treatd"]);
    case("a treatment that nobody has", 1, &["y", "--treatment", "nobody"]);
    case("a treatment that everybody has", 1, &["y", "--treatment", "everybody"]);
    case("a treatment in words", 1, &["y", "--treatment", "word"]);
    case("an outcome in words", 1, &["word", "--treatment", "d"]);
    case("an outcome that is constant", 1, &["everybody", "--treatment", "d"]);
    case("an outcome that is always missing", 1, &["gone", "--treatment", "d"]);
    case("dates that change within a unit", 1, &["y", "--cohort", "year_too"]);
    case("dates that are no periods", 1, &["y", "--cohort", "half"]);
    case("clusters that cut units", 1, &["y", "--treatment", "d", "--cluster", "year_too"]);
    case("a cluster that is not there", 1, &["y", "--treatment", "d", "--cluster", "provnce"]);
    case("a cluster that is alone", 1, &["y", "--treatment", "d", "--cluster", "everybody"]);
    case("a covariate twice", 1, &["y", "--treatment", "d", "--covariates", "x,x"]);
    case("the treatment as a covariate", 1, &["y", "--treatment", "d", "--covariates", "x,d"]);
    case("the outcome as the treatment", 1, &["y", "--treatment", "y"]);
    case("neither treatment nor dates", 2, &["y"]);
    case("both treatment and dates", 2, &["y", "--treatment", "d", "--cohort", "first"]);
    let fit = ["--data", "[DIR]/panel.csv", "--unit", "id", "--time", "year", "--outcome", "y"];
    let mut case = |title: &str, estimator: &str, words: &[&str]| {
        let words = [&["fit", estimator], &fit[..], words].concat();
        log.case(title, 1, &words.into_iter().map(str::to_owned).collect::<Vec<_>>());
    };
    case("dates for an estimator that takes none", "fixed-effects", &["--cohort", "first"]);
    case("dates twice", "event-study", &["--cohort", "first", "--set", "cohort=first"]);
    case("a treatment twice", "event-study", &["--treatment", "d", "--set", "treatment=d"]);
    insta::assert_snapshot!("did", log.text);
}

#[test]
fn usage() {
    let dir = data_files();
    let mut log = Log::new(&dir);
    let mut case = |title: &str, words: &[&str]| {
        log.case(title, 2, &words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
    };
    let fit = ["fit", "pooled-ols", "--data", "[DIR]/good.csv", "--formula"];
    case("a formula that ends too early", &[&fit[..], &["y ~ x +"]].concat());
    case("a formula with a bracket too many", &[&fit[..], &["y ~ log(x))"]].concat());
    case("a formula with a function nobody knows", &[&fit[..], &["y ~ lgo(x)"]].concat());
    case("a formula without an outcome", &[&fit[..], &["x + z"]].concat());
    case("an empty formula", &[&fit[..], &[""]].concat());
    case("a covariance that is not built", &[&fit[..], &["y ~ x", "--vcov", "conley:100"]].concat());
    case("a covariance misspelled", &[&fit[..], &["y ~ x", "--vcov", "clutser:id"]].concat());
    case("rules nobody knows", &[&fit[..], &["y ~ x", "--small-sample", "stata"]].concat());
    case("a level in per cent", &[&fit[..], &["y ~ x", "--level", "95"]].concat());
    case("a format nobody knows", &[&fit[..], &["y ~ x", "--format", "yaml"]].concat());
    case("a command misspelled", &["reproduc"]);
    case("an option misspelled", &["reproduce", "--chek"]);
    case("no command", &[]);
    insta::assert_snapshot!("usage", log.text);
}

#[test]
fn study() {
    let dir = copy_of("wage-panel");
    let mut log = Log::new(&dir);
    let toml = read(&dir.path().join("study.toml"));
    let mut case = |title: &str, from: &str, to: &str| {
        let changed = toml.replacen(from, to, 1);
        assert_ne!(changed, toml, "{title}: `{from}` is not in the study");
        fs::write(dir.path().join("study.toml"), changed).unwrap();
        log.case(title, 1, &["reproduce", "[DIR]", "--quiet"].map(str::to_owned));
    };
    case("a key nobody knows", "[sets]", "[stes]");
    case(
        "a key nobody knows in a model",
        "estimator = \"pooled-ols\"",
        "estimator = \"pooled-ols\"\nvcv = \"iid\"",
    );
    case("a table with a model nobody knows", "\"pooled\", \"random\"", "\"poled\", \"random\"");
    case("a model with an estimator nobody knows", "\"pooled-ols\"", "\"poled-ols\"");
    case("a set nobody knows", "~ {person}", "~ {persons}");
    case("a formula that does not parse", "lwage ~ {person} +", "lwage ~ {person} + *");
    case("a covariance nobody knows", "vcov = \"iid\"", "vcov = \"idd\"");
    case("a unit without a time", "time = \"year\"", "");
    case("a column that is not there", "expersq + married", "expersqr + married");
    case("a file that is not there", "wage_panel.parquet", "wage_panels.parquet");
    case(
        "a step nobody knows",
        "[defaults]",
        "[[pipeline]]\nstep = \"restric\"\nwhere = \"nr == 1\"\n[defaults]",
    );
    case(
        "an option of a step nobody knows",
        "[defaults]",
        "[[pipeline]]\nstep = \"restrict\"\nwhen = \"nr == 1\"\n[defaults]",
    );
    case(
        "a step that leaves nothing",
        "[defaults]",
        "[[pipeline]]\nstep = \"restrict\"\nwhere = \"nr < 0\"\n[defaults]",
    );
    case("marks for too few models", "\"YES\", \"YES\", \"YES\"", "\"YES\", \"YES\"");
    case("TOML that does not parse", "name = \"wage-panel\"", "name = wage-panel");
    insta::assert_snapshot!("study", log.text);
}

#[test]
fn requests() {
    let dir = folder();
    let mut log = Log::new(&dir);
    let mut case = |title: &str, words: &[&str]| {
        log.case(title, 1, &words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
    };
    case("a study that is not there", &["reproduce", "[DIR]/absent"]);
    case("a source misspelled", &["reproduce", "datasets/cbec-resilience", "--source", "replcia"]);
    case("a source that needs data", &["reproduce", "datasets/cbec-resilience", "--source", "china"]);
    case("a folder without the data", &["reproduce", "datasets/cbec-resilience", "--data", "[DIR]"]);
    case("a page that is not there", &["explain", "fixd-effects"]);
    case("a simulation without facts", &["simulate", "cbec-replica", "--dir", "[DIR]"]);
    case(
        "a term that is not there",
        &["explain-se", "pooled-ols", "--data", WAGE, "--formula", "lwage ~ educ", "--term", "educ2"],
    );
    case("a conversion to a format nobody knows", &["convert", WAGE, "[DIR]/a.xyz"]);
    case(
        "a column that is not there to keep",
        &["convert", WAGE, "[DIR]/a.csv", "--columns", "lwage,education"],
    );
    insta::assert_snapshot!("requests", log.text);
}

#[test]
fn a_cross_section_has_no_estimators_that_need_units_and_periods() {
    let dir = copy_of("wage-panel");
    let file = dir.path().join("study.toml");
    fs::write(&file, read(&file).replacen("unit = \"nr\"\ntime = \"year\"\n", "", 1)).unwrap();
    let ran = parallax(["reproduce", text(dir.path())]);
    let reason = "model `random`: `random-effects` needs to know units and periods: say --unit and --time (or \
                  `unit` and `time` in the study file)";
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains(reason) && !ran.err.contains("model `pooled`"), "{}", ran.err);
}

#[test]
fn a_run_that_fails_leaves_the_files_of_the_run_before() {
    let study = copy_of("wage-panel");
    let place = text(study.path());
    parallax(["reproduce", place, "--quiet"]).done();
    let tables = study.path().join("tables");
    let before = contents(&tables);
    let toml = study.path().join("study.toml");
    fs::write(&toml, read(&toml).replace("expersq", "expersqr")).unwrap();
    assert_eq!(parallax(["reproduce", place, "--quiet"]).code, 1);
    assert_eq!(contents(&tables), before);

    let dir = data_files();
    let target = dir.path().join("old.parquet");
    fs::write(&target, "what was here before").unwrap();
    let twice = dir.path().join("twice.csv");
    let keys = ["--unit", "id", "--time", "year"];
    let words = ["convert", text(&twice), text(&target)];
    assert_eq!(parallax(words.iter().chain(&keys)).code, 1);
    assert_eq!(read(&target), "what was here before");
    let left: Vec<_> =
        contents(dir.path()).into_iter().filter(|it| text(&it.0).contains("partial")).collect();
    assert_eq!(left, []);
}

/// Cases one after the other, as a reader of a terminal sees them.
struct Log<'a> {
    dir: &'a Path,
    text: String,
}

impl Log<'_> {
    fn new(dir: &TempDir) -> Log<'_> {
        Log { dir: dir.path(), text: String::new() }
    }

    /// Runs words in which `[DIR]` stands for the folder, and writes down how it ends.
    fn case(&mut self, title: &str, code: u8, words: &[String]) {
        let dir = text(self.dir);
        let ran = parallax(words.iter().map(|it| it.replace("[DIR]", dir)));
        assert_eq!(ran.code, code, "{title}: {}{}", ran.out, ran.err);
        assert_eq!(code == 0, ran.err.is_empty(), "{title}: {}", ran.err);
        assert!(code == 0 || ran.out.is_empty(), "{title} prints a result and fails: {}", ran.out);
        let err = ran.err.replace(dir, "[DIR]");
        let words = words.join(" ");
        writeln!(self.text, "## {title}\nparallax {words}\nexit code {code}\n{err}").unwrap();
    }
}

/// A small staggered panel with columns that are no treatment.
fn staggered_files() -> TempDir {
    let dir = folder();
    let mut panel = "id,year,y,d,first,x,nobody,everybody,word,gone,year_too,half\n".to_owned();
    for id in 1..=12 {
        let first = [0, 2003, 2004][id as usize % 3];
        for year in 2001..=2006 {
            let d = i32::from(0 < first && first <= year);
            let (y, x) = ((id * 7 + year * 5 + id * year) % 13 + 2 * d, (id * 11 + year * year) % 7);
            let word = if id == 3 && year == 2004 { "unknown" } else { "1" };
            writeln!(panel, "{id},{year},{y},{d},{first},{x},0,1,{word},,{year},2003.5").unwrap();
        }
    }
    fs::write(dir.path().join("panel.csv"), panel).unwrap();
    dir
}

/// A small panel, and what can be wrong with one.
fn data_files() -> TempDir {
    let dir = folder();
    let header = "id,year,y,x,z,w,one,row,gone\n";
    let mut good = header.to_owned();
    for id in 1..=4 {
        for year in 2001..=2005 {
            let row = (id - 1) * 5 + year - 2000;
            let (y, x) = (f64::from((row * 37) % 11) + 0.5 * f64::from(id), (row * 53) % 17);
            let w = if row == 7 { -1 } else { 1 };
            writeln!(good, "{id},{year},{y},{x},{},{w},1,{row},", id * id).unwrap();
        }
    }
    let line = "2,2002,7,14,4,-1,1,7,\n";
    assert!(good.contains(line), "{good}");
    let save = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    save("good.csv", good.as_bytes());
    save("good.xyz", good.as_bytes());
    save("text.csv", good.replace(line, "2,2002,unknown,14,4,-1,1,7,\n").as_bytes());
    save("stray.csv", good.replace(line, "2,2002,7,unknown,4,-1,1,7,\n").as_bytes());
    save("quote.csv", good.replace(line, "2,2002,7,14,4,-1,1,7,\"\n").as_bytes());
    save("twice.csv", format!("{good}{line}").as_bytes());
    save("infinite.csv", good.replace(line, "2,2002,7,inf,4,-1,1,7,\n").as_bytes());
    save("empty.csv", b"");
    save("header.csv", header.as_bytes());
    save("ragged.csv", good.replace(line, "2,2002,7\n").as_bytes());
    save("no-unit.csv", good.replace(line, ",2002,7,14,4,-1,1,7,\n").as_bytes());
    let whole = fs::read(crate::support::root().join(WAGE)).unwrap();
    save("cut.parquet", &whole[..whole.len() / 2]);
    dir
}
