//! A study file reads and writes where the user wants it to, and nowhere else.

use std::{fs, path::Path};

use crate::support::{contents, files, folder, parallax, read, root, text};

const DATA: &str = "y,x\n1,2\n2,3\n4,5\n3,1\n7,4\n";

/// A study of five rows with one table.
fn study(dir: &Path, name: &str, source: &str, path: &str, id: &str) -> String {
    fs::create_dir_all(dir).unwrap();
    fs::write(dir.join("p.csv"), DATA).unwrap();
    let text = format!(
        "name = '{name}'\ntitle = 'T'\npublished = false\n[data]\n[[data.source]]\nname = '{source}'\ndescription = 'd'\n\
         file = [{{ path = '{path}' }}]\n[[model]]\nname = 'm'\nestimator = 'pooled-ols'\nformula = 'y ~ x'\nvcov = 'iid'\n\
         [[table]]\nid = '{id}'\ntitle = 'T'\nkind = 'regression'\nmodels = ['m']\nterms = [{{ term = 'x', label = 'X' }}]\n"
    );
    fs::write(dir.join("study.toml"), &text).unwrap();
    text
}

/// The case of the issue, and every other name that becomes a file.
#[test]
fn names_do_not_lead_out_of_the_folder() {
    let out = folder();
    fs::create_dir_all(out.path().join("in")).unwrap();
    let case = root().join("snapshots/cases/faults/traversal");
    for it in ["p.csv", "study.toml"] {
        fs::copy(case.join(it), out.path().join("in").join(it)).unwrap();
    }
    let before = contents(out.path());
    let ran = parallax(["reproduce", text(&out.path().join("in"))]);
    assert!(
        ran.code == 1 && ran.err.contains("`../../victim` cannot name a file: it contains `/`"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("line 4"), "{}", ran.err);
    assert_eq!(contents(out.path()), before);
    for bad in ["../victim", "/srv/victim", "..", ".", "", "a\\b", ".hidden", "nul", "a:b", " a"] {
        for at in 0..3 {
            let dir = folder();
            let mut names = ["s", "mine", "t"];
            names[at] = bad;
            study(&dir.path().join("in"), names[0], names[1], "p.csv", names[2]);
            let place = dir.path().join("in");
            let before = contents(dir.path());
            for words in
                [vec!["reproduce", text(&place)], vec!["reproduce", text(&place), "--out", text(dir.path())]]
            {
                let ran = parallax(&words);
                assert!(ran.code == 1 && ran.err.contains("cannot name a file"), "{bad:?} {at}: {}", ran.err);
                assert!(["name", "id"].iter().any(|it| ran.err.contains(it)), "{}", ran.err);
            }
            assert_eq!(contents(dir.path()), before, "{bad:?}");
        }
    }
}

#[test]
fn names_that_meet_in_one_file_are_refused() {
    let table = |id: &str| {
        format!(
            "[[table]]\nid = '{id}'\ntitle = 'T'\nkind = 'regression'\nmodels = ['m']\nterms = [{{ term = 'x', label = 'X' }}]\n"
        )
    };
    for id in ["T", "t-printed-against-ours", "Sample-Flow", "manifest"] {
        let dir = folder();
        let text_of = study(dir.path(), "s", "mine", "p.csv", "t");
        fs::write(dir.path().join("study.toml"), format!("{text_of}{}", table(id))).unwrap();
        let ran = parallax(["reproduce", text(dir.path())]);
        assert!(ran.code == 1 && ran.err.contains("would be written to one file"), "{id}: {}", ran.err);
    }
    // Two studies of one name, into one folder.
    let dir = folder();
    let (a, b, out) = (dir.path().join("a"), dir.path().join("b"), dir.path().join("out"));
    study(&a, "same", "mine", "p.csv", "t");
    study(&b, "Same", "mine", "p.csv", "t");
    let ran = parallax(["reproduce", text(&a), text(&b), "--out", text(&out), "--quiet"]);
    assert!(ran.code == 1 && ran.err.contains("are both called"), "{}", ran.err);
    parallax(["reproduce", text(&a), text(&b), "--quiet"]).done();
}

#[test]
fn data_outside_of_the_folder_need_the_users_word() {
    let dir = folder();
    let place = dir.path().join("in");
    let secret = dir.path().join("secret.csv");
    fs::write(&secret, "topsecret,x\n1,2\n").unwrap();
    let mut ways =
        vec!["../secret.csv".to_owned(), text(&secret).to_owned(), "./../in/../secret.csv".to_owned()];
    study(&place, "s", "mine", "p.csv", "t");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&secret, place.join("link.csv")).unwrap();
        fs::create_dir(place.join("many")).unwrap();
        std::os::unix::fs::symlink(&secret, place.join("many/a.csv")).unwrap();
        ways.extend(["link.csv".to_owned(), "many".to_owned()]);
    }
    // What is not there must not be told from what is.
    ways.push("../secrets.csv".to_owned());
    for way in &ways {
        study(&place, "s", "mine", way, "t");
        let ran = parallax(["reproduce", text(&place), "--strict"]);
        assert_eq!(ran.code, 1, "{way}");
        let says = format!("run `parallax reproduce {}/study.toml --strict --allow-outside`", text(&place));
        assert!(
            ran.err.contains("lies outside of the study's folder") && ran.err.contains(&says),
            "{way}: {}",
            ran.err
        );
        assert!(!ran.err.contains("topsecret"), "{}", ran.err);
    }
    fs::write(&secret, DATA).unwrap();
    study(&place, "s", "mine", "../secret.csv", "t");
    parallax(["reproduce", text(&place), "--quiet", "--allow-outside"]).done();
    // The folder given with --data is the user's word too.
    parallax(["reproduce", text(&place), "--quiet", "--source", "mine", "--data", text(dir.path())]).done();
}

/// Neither through `published` nor through a link in the place of the study file.
#[cfg(unix)]
#[test]
fn no_message_shows_a_file_that_the_study_should_not_read() {
    let dir = folder();
    let (place, secret) = (dir.path().join("in"), dir.path().join("secret.toml"));
    fs::write(&secret, "topsecret\n").unwrap();
    let written = study(&place, "s", "mine", "p.csv", "t");
    for printed in ["../secret.toml", text(&secret), "link.toml"] {
        let _ = std::os::unix::fs::symlink(&secret, place.join("link.toml"));
        fs::write(
            place.join("study.toml"),
            written.replacen("published = false", &format!("published = '{printed}'"), 1),
        )
        .unwrap();
        let ran = parallax(["reproduce", text(&place)]);
        assert!(ran.code == 1 && ran.err.contains("lies outside"), "{printed}: {}", ran.err);
        assert!(!ran.err.contains("topsecret"), "{}", ran.err);
    }
    fs::remove_file(place.join("study.toml")).unwrap();
    std::os::unix::fs::symlink(&secret, place.join("study.toml")).unwrap();
    let ran = parallax(["reproduce", text(&place)]);
    assert!(ran.code == 1 && !ran.err.contains("topsecret"), "{}", ran.err);
    // Results do not leave through a link either.
    fs::remove_file(place.join("study.toml")).unwrap();
    study(&place, "s", "mine", "p.csv", "t");
    fs::create_dir(dir.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(dir.path().join("elsewhere"), place.join("tables")).unwrap();
    let ran = parallax(["reproduce", text(&place)]);
    assert!(ran.code == 1 && ran.err.contains("through a link"), "{}", ran.err);
    assert!(files(&dir.path().join("elsewhere")).is_empty());
}

#[test]
fn results_do_not_overwrite_the_data_they_were_made_from() {
    let dir = folder();
    study(dir.path(), "s", "mine", "tables/mine/t.csv", "t");
    let data = dir.path().join("tables/mine/t.csv");
    fs::create_dir_all(data.parent().unwrap()).unwrap();
    fs::write(&data, DATA).unwrap();
    let ran = parallax(["reproduce", text(dir.path()), "--quiet"]);
    assert!(ran.code == 1 && ran.err.contains("was read for these results"), "{}", ran.err);
    assert_eq!(read(&data), DATA);
    assert_eq!(files(&dir.path().join("tables")), [Path::new("mine/t.csv")]);
}

/// A table that the study no longer makes does not stay beside those that it makes.
#[test]
fn tables_of_an_earlier_run_go_with_it() {
    let dir = folder();
    study(dir.path(), "s", "mine", "p.csv", "old");
    parallax(["reproduce", text(dir.path()), "--quiet"]).done();
    let tables = dir.path().join("tables/mine");
    fs::write(tables.join("notes.md"), "mine").unwrap();
    study(dir.path(), "s", "mine", "p.csv", "new");
    let checked = parallax(["reproduce", text(dir.path()), "--check"]);
    assert!(
        checked.code == 3 && checked.out.contains("old.txt: this study does not make it"),
        "{}",
        checked.out
    );
    assert!(checked.err.contains("are of another run; since then changed: study.toml"), "{}", checked.err);
    let ran = parallax(["reproduce", text(dir.path())]).done();
    assert!(ran.contains("removed old.txt") && ran.contains("left notes.md"), "{ran}");
    assert!(files(&tables).iter().all(|it| !text(it).starts_with("old")), "{:?}", files(&tables));
    fs::remove_file(tables.join("notes.md")).unwrap();
    parallax(["reproduce", text(dir.path()), "--check", "--quiet"]).done();
}

#[test]
fn messages_name_key_form_and_what_was_found() {
    let dir = folder();
    let written = study(dir.path(), "s", "mine", "p.csv", "t");
    for (from, to, says) in [
        (
            "title = 'T'\nkind",
            "title = 'T'\ndecimals = 'many'\nkind",
            "decimals`: the text \"many\" was found; write a whole number from 0 to 15",
        ),
        (
            "title = 'T'\nkind",
            "title = 'T'\ndecimals = 200\nkind",
            "decimals`: the number 200 was found; write a whole number from 0 to 15",
        ),
        ("vcov = 'iid'", "vcov = 'iid'\noptions = { constant = 'maybe' }", "`constant`"),
        ("models = ['m']", "models = 'm'", "models`: the text \"m\" was found; write a list"),
    ] {
        assert!(written.contains(from), "{from}");
        fs::write(dir.path().join("study.toml"), written.replacen(from, to, 1)).unwrap();
        let ran = parallax(["reproduce", text(dir.path())]);
        assert!(ran.code == 1 && ran.err.contains(says), "{says}: {}", ran.err);
        assert!(!ran.err.contains("usize") && !ran.err.contains("invalid type"), "{}", ran.err);
    }
}

/// Every count of every plugin has a bound that its schema declares and that the program keeps.
#[test]
fn counts_are_bounded() {
    let mut counts = 0;
    for plugin in crate::support::registry() {
        let name = plugin["name"].as_str().unwrap();
        for (key, form) in properties(&plugin["details"]["options"]) {
            let whole = form["type"] == "integer" || form["type"][0] == "integer";
            if !whole || ["seed", "base", "from", "to"].contains(&key.as_str()) {
                continue;
            }
            assert!(
                form["maximum"].as_u64().is_some_and(|it| it <= 10_000_000),
                "{name}: `{key}` has no bound"
            );
            counts += 1;
        }
    }
    assert!(35 < counts, "{counts} counts were found");
    let dir = folder();
    fs::write(dir.path().join("p.csv"), DATA).unwrap();
    let data = dir.path().join("p.csv");
    let fit = ["fit", "fixed-effects", "--data", text(&data), "--formula", "y ~ 1 | x", "--set"];
    let ran = parallax(fit.iter().chain(&["max-iterations=99999999999999"]));
    assert!(ran.code == 1 && ran.err.contains("write a whole number from 1 to 10000000"), "{}", ran.err);
}

/// Options of the top level and of every alternative.
fn properties(schema: &serde_json::Value) -> Vec<(String, serde_json::Value)> {
    let own =
        schema["properties"].as_object().into_iter().flatten().map(|(key, it)| (key.clone(), it.clone()));
    let lists = ["oneOf", "anyOf", "allOf"].iter().filter_map(|it| schema[*it].as_array()).flatten();
    own.chain(lists.flat_map(properties)).collect()
}
