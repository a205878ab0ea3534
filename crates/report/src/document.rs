//! A whole study as one document: data first, then one HTML page, one Word file, one LaTeX file.

mod html;
mod latex;
mod word;
mod zip;

use std::{collections::BTreeSet, panic::resume_unwind, thread};

use thiserror::Error;

use crate::{
    draw::raster,
    figure::{Figure, FigureError},
    language::{Language, Word},
    output::Output,
    published::{Comparison, Summary},
    table::Table,
};

/// What a reader is given of a study.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// The title of the study.
    pub title: String,
    /// The language of the fixed words.
    pub language: Language,
    /// The paper that is reproduced, as it is cited; empty for none.
    pub reference: String,
    /// What the data are.
    pub source: String,
    /// Whether any number comes from simulated data; head and foot then say so.
    pub simulated: bool,
    /// Of the program.
    pub version: String,
    /// In reading order.
    pub sections: Vec<Section>,
    /// How the sample came to be, line by line as the program tells it.
    pub sample_flow: String,
    /// What was read.
    pub files: Vec<FileRecord>,
    /// Small-sample rules, singletons, stars: a name and what holds.
    pub conventions: Vec<Convention>,
    /// Sentences at the end.
    pub notes: Vec<String>,
}

/// A part with a heading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// Text below the heading.
    pub paragraphs: Vec<String>,
    /// Below the text.
    pub items: Vec<Item>,
}

/// What stands in a section.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A table.
    Table(Table),
    /// A figure; the page also has its numbers.
    Figure(Figure),
    /// A printed table against ours, cell by cell.
    Comparison(Comparison),
}

/// A file of data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileRecord {
    /// Without its folder.
    pub name: String,
    /// In hexadecimal.
    pub sha256: String,
    /// As read.
    pub rows: u64,
    /// Empty for unknown.
    pub licence: String,
}

/// A choice that other programs make in another way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Convention {
    /// What is chosen.
    pub name: String,
    /// The choice.
    pub text: String,
}

/// A document that cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Two items would have the same anchor.
    #[error("the document has two of `{id}`; ids of tables and of figures must differ")]
    Twice {
        /// The anchor.
        id: String,
    },
    /// A figure cannot be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// The page could not be filled.
    #[error("the page of the report: {0}")]
    Page(#[from] minijinja::Error),
    /// The parts could not be packed.
    #[error("the Word file: {0}")]
    Io(#[from] std::io::Error),
}

impl Document {
    /// One self-contained page: no script, nothing from elsewhere.
    ///
    /// # Errors
    /// [`DocumentError::Twice`], or a figure that cannot be drawn.
    pub fn html(&self) -> Result<String, DocumentError> {
        self.check()?;
        html::render(self)
    }

    /// One Word file, with figures as PNG; the same bytes every time.
    ///
    /// # Errors
    /// [`DocumentError::Twice`], or a figure that cannot be rasterised.
    pub fn word(&self) -> Result<Vec<u8>, DocumentError> {
        self.check()?;
        word::render(self, &self.pictures()?)
    }

    /// One LaTeX file; it includes `FOLDER/ID.png` for each figure (`ID.png` if the folder is empty).
    ///
    /// Without Chinese text any engine compiles it, with it XeLaTeX.
    ///
    /// # Errors
    /// [`DocumentError::Twice`].
    pub fn latex(&self, folder: &str) -> Result<String, DocumentError> {
        self.check()?;
        Ok(latex::render(self, folder))
    }

    /// All three, named `STEM.html`, `STEM.docx` and `STEM.tex`, with the pictures that the last one includes.
    ///
    /// # Errors
    /// As those of the three.
    pub fn outputs(&self, stem: &str) -> Result<Vec<Output>, DocumentError> {
        self.check()?;
        let pictures = self.pictures()?;
        let mut outputs = vec![
            Output::new(format!("{stem}.html"), html::render(self)?.into_bytes()),
            Output::new(format!("{stem}.docx"), word::render(self, &pictures)?),
            Output::new(format!("{stem}.tex"), latex::render(self, "").into_bytes()),
        ];
        let named = self.figures().zip(pictures);
        outputs.extend(named.map(|(figure, bytes)| Output::new(format!("{}.png", figure.id), bytes)));
        Ok(outputs)
    }

    /// Every figure as PNG, in reading order, drawn side by side.
    fn pictures(&self) -> Result<Vec<Vec<u8>>, FigureError> {
        let figures: Vec<&Figure> = self.figures().collect();
        let threads = thread::available_parallelism().map_or(1, usize::from).min(figures.len()).max(1);
        let drawn: Vec<Result<Vec<Vec<u8>>, FigureError>> = thread::scope(|scope| {
            let part = |some: &'_ [&Figure]| some.iter().map(|it| raster::png(it)).collect();
            let parts = figures.chunks(figures.len().div_ceil(threads).max(1));
            let running: Vec<_> = parts.map(|some| scope.spawn(move || part(some))).collect();
            running.into_iter().map(|it| it.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        });
        Ok(drawn.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// The figures in reading order.
    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.items().filter_map(|it| match it {
            Item::Figure(it) => Some(it),
            Item::Table(_) | Item::Comparison(_) => None,
        })
    }

    /// All verdicts of all comparisons, counted; nothing if nothing is compared.
    pub fn summary(&self) -> Option<Summary> {
        let comparisons = self.items().filter_map(|it| match it {
            Item::Comparison(it) => Some(it.summary()),
            Item::Table(_) | Item::Figure(_) => None,
        });
        Some(comparisons.sum::<Summary>()).filter(|it| 0 < it.total())
    }

    fn items(&self) -> impl Iterator<Item = &Item> {
        self.sections.iter().flat_map(|it| &it.items)
    }

    fn check(&self) -> Result<(), DocumentError> {
        let mut seen = BTreeSet::new();
        for id in self.items().map(Item::anchor) {
            if !seen.insert(id.clone()) {
                return Err(DocumentError::Twice { id });
            }
        }
        Ok(())
    }
}

impl Section {
    /// Whether there is nothing below the heading.
    pub fn is_empty(&self) -> bool {
        self.paragraphs.is_empty() && self.items.is_empty()
    }
}

impl Item {
    /// What links point to.
    fn anchor(&self) -> String {
        match self {
            Item::Table(it) => slug("table", &it.id),
            Item::Figure(it) => slug("figure", &it.id),
            Item::Comparison(it) => slug("printed", &it.table),
        }
    }

    fn title(&self) -> String {
        match self {
            Item::Table(it) => if it.title.is_empty() { &it.id } else { &it.title }.clone(),
            Item::Figure(it) => if it.title.is_empty() { &it.id } else { &it.title }.clone(),
            Item::Comparison(it) => if it.title.is_empty() { &it.table } else { &it.title }.clone(),
        }
    }
}

fn slug(kind: &str, id: &str) -> String {
    let safe = |it: char| if it.is_alphanumeric() { it } else { '-' };
    format!("{kind}-{}", id.chars().map(safe).collect::<String>())
}

/// The caption of a figure, with the mark of simulated data.
fn caption(figure: &Figure) -> String {
    let title = if figure.title.is_empty() { &figure.id } else { &figure.title };
    match (figure.simulated, figure.language) {
        (false, _) => title.clone(),
        (true, Language::En) => format!("{title} (simulated data)"),
        (true, Language::Zh) => format!("{title}（{}）", Language::Zh.word(Word::Simulated)),
    }
}

/// The columns of a comparison.
fn comparison_words(language: Language) -> [&'static str; 7] {
    use Word::{Column, Difference, Ours, Printed, Row, Verdict, What};
    [Column, Row, What, Printed, Ours, Difference, Verdict].map(|it| language.word(it))
}
