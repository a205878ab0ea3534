//! Every page of a plugin has an example that runs.

use parallax_study::{Study, StudyFile};

use crate::support::{assert_fit_to_print, parallax, registry};

#[test]
fn every_page_has_an_example_that_runs() {
    for plugin in registry() {
        let name = plugin["name"].as_str().unwrap();
        let example = section(plugin["docs"].as_str().unwrap(), "Example");
        let blocks = blocks(example);
        assert!(!blocks.is_empty(), "{name}: no block under `## Example`");
        for (language, block) in blocks {
            match language {
                "sh" => run(name, block),
                "toml" => plan(name, block),
                other => panic!("{name}: a block of `{other}` cannot be run here"),
            }
            assert!(block.contains(name), "{name}: the example is about something else:\n{block}");
        }
    }
}

#[test]
fn an_example_that_does_not_run_is_found() {
    let entry = "[[pipeline]]\nstep = \"lag\"\ncolumns = [\"did\"]\n";
    planned(entry).unwrap();
    let refused = planned(&format!("{entry}backwards = 1\n")).unwrap_err();
    assert!(refused.contains("backwards"), "{refused}");
    let refused = planned(&entry.replace("lag", "lags")).unwrap_err();
    assert!(refused.contains("lags"), "{refused}");
}

/// The text under a heading.
fn section<'a>(page: &'a str, title: &str) -> &'a str {
    let (_, rest) =
        page.split_once(&format!("## {title}\n")).unwrap_or_else(|| panic!("no {title}:\n{page}"));
    rest.split_once("\n## ").map_or(rest, |it| it.0)
}

/// Fenced blocks with their languages.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let fenced = text.split("```").collect::<Vec<_>>();
    assert!(fenced.len() % 2 == 1, "a block is not closed:\n{text}");
    fenced.chunks_exact(2).map(|it| it[1].split_once('\n').unwrap()).collect()
}

/// Runs each line of a shell block.
fn run(name: &str, block: &str) {
    for line in block.replace("\\\n", " ").lines().filter(|it| !it.trim().is_empty()) {
        let words = words(line);
        assert_eq!(words[0], "parallax", "{name}: not a call of the program: {line}");
        let printed = parallax(&words[1..]).done();
        assert_fit_to_print(name, &printed);
        assert!(1 < printed.lines().count(), "{name}: `{line}` prints nothing");
    }
}

/// Words of a shell line; double quotes keep blanks.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (k, part) in line.split('"').enumerate() {
        if k % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn plan(name: &str, block: &str) {
    if let Err(it) = planned(block) {
        panic!("{name}: the example is refused: {it}\n{block}");
    }
}

/// Puts pipeline entries into a study and checks it against the registry.
fn planned(block: &str) -> Result<(), String> {
    let study = format!(
        "name = \"example\"\ntitle = \"Example\"\n[data]\nunit = \"city\"\ntime = \"year\"\n\
         [[data.source]]\nname = \"one\"\ndescription = \"one\"\n\
         [[data.source.file]]\npath = \"one.parquet\"\n{block}"
    );
    let file = StudyFile::parse(&study).map_err(|it| it.to_string())?;
    assert!(!file.pipeline.is_empty(), "no [[pipeline]] entry:\n{block}");
    let study =
        Study::plan(file, "one", parallax_plugins::registry().unwrap()).map_err(|it| it.to_string())?;
    study.needs().map(|_| ()).map_err(|it| it.to_string())
}
