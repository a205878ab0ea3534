//! How many tests passed and failed, from what the runner says.

/// Tests by their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub passed: u64,
    pub failed: u64,
}

/// Sums the closing lines of `cargo test` (one a binary) or reads the one of nextest, which shows what a failed test
/// printed, closing lines of its own among it.
pub fn count(output: &str) -> Count {
    let lines: Vec<String> = output.lines().map(without_colour).collect();
    let starting =
        |with: &'static str| lines.iter().map(|it| it.trim()).filter(move |it| it.starts_with(with));
    let by_nextest: Vec<&str> = starting("Summary [").collect();
    let closing = if by_nextest.is_empty() { starting("test result:").collect() } else { by_nextest };
    closing.into_iter().fold(Count::default(), |total, line| Count {
        passed: total.passed + before(line, "passed"),
        failed: total.failed + before(line, "failed"),
    })
}

/// The number before a word, 0 where the word is not there.
fn before(line: &str, word: &str) -> u64 {
    let words: Vec<&str> =
        line.split([' ', ',', ';', '(', ')', '.', ':']).filter(|it| !it.is_empty()).collect();
    let found = words.windows(2).find(|it| it[1] == word);
    found.and_then(|it| it[0].parse().ok()).unwrap_or(0)
}

/// A line without terminal escapes.
fn without_colour(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        out.push_str(before);
        rest = after.split_once('m').map_or("", |it| it.1);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_runners_are_understood() {
        let cargo = "running 2 tests\ntest a ... ok\n\
            test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured\n";
        assert_eq!(count(cargo), Count { passed: 15, failed: 2 });
        let nextest = "     Summary [   1.234s] 210 tests run: 209 passed (3 slow), 1 failed, 0 skipped\n";
        assert_eq!(count(nextest), Count { passed: 209, failed: 1 });
        let failure = "    test result: FAILED. 0 passed; 1 failed; 0 ignored\n  Summary [ 1.0s] 3 tests run: 2 passed, 1 failed";
        assert_eq!(count(failure), Count { passed: 2, failed: 1 });
        let coloured = "\u{1b}[32;1m     Summary\u{1b}[0m [   0.5s] \u{1b}[1m7\u{1b}[0m tests run: \u{1b}[1m7\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, 0 skipped";
        assert_eq!(count(coloured), Count { passed: 7, failed: 0 });
        assert_eq!(count("error: could not compile"), Count::default());
    }
}
