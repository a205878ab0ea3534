//! Names of a study that become files must not meet in one file.

use crate::{StudyError, StudyFile, file::is_for, stem::collision};

/// Files that a run writes beside tables and figures, without their endings.
const OWN: [&str; 2] = ["manifest", "sample-flow"];

/// Refuses sources, tables and figures whose files would have one name, also where a system does not tell upper from
/// lower case.
pub(crate) fn check_names(file: &StudyFile) -> Result<(), StudyError> {
    let owner = |it: &str| format!("source `{it}`");
    let sources = file.data.sources.iter().map(|it| (it.name.to_string(), owner(&it.name)));
    refuse(collision(sources), "[data]")?;
    for source in &file.data.sources {
        let own = OWN.iter().map(|it| ((*it).to_owned(), "a file that every run writes".to_owned()));
        let tables = file.tables.iter().filter(|it| is_for(&it.sources, &source.name)).flat_map(|it| {
            let owner = format!("table `{}`", it.id);
            let compared = format!("{}-printed-against-ours", it.id);
            [
                (it.id.to_string(), owner.clone()),
                (compared, format!("the comparison of {owner} with what is printed")),
            ]
        });
        let figures = file.figures.iter().filter(|it| is_for(&it.sources, &source.name)).flat_map(|it| {
            let owner = format!("figure `{}`", it.id);
            let chinese = it.zh.as_ref().map(|_| (format!("{}-zh", it.id), format!("{owner} in Chinese")));
            [(it.id.to_string(), owner)].into_iter().chain(chinese)
        });
        refuse(collision(own.chain(tables).chain(figures)), &format!("source `{}`", source.name))?;
    }
    Ok(())
}

fn refuse(found: Option<(String, String, String)>, place: &str) -> Result<(), StudyError> {
    let Some((name, first, second)) = found else { return Ok(()) };
    let message = format!(
        "{first} and {second} would be written to one file, `{name}` (some systems do not tell upper from lower case); \
         give one of them another name"
    );
    Err(StudyError::entry(place, message))
}
