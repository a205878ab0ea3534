//! Where the data sets lie, and how they are read: each once a run.

use std::{
    cell::RefCell,
    collections::HashMap,
    path::{Path, PathBuf},
    rc::Rc,
};

use parallax_ingest::{ReadRequest, read};
use parallax_model::{AbsorptionCache, Expr, Panel};

use crate::OracleError;

/// A data set of the case tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataSet {
    /// Synthetic, in the repository, with unit and time.
    Open(&'static str, &'static str, &'static str),
    /// Synthetic, in the repository, without unit and time.
    OpenRows(&'static str),
    /// A CSV file below `PARALLAX_DATA`, without unit and time.
    Private(&'static str),
    /// A CSV file below `PARALLAX_DATA`, with unit and time.
    PrivatePanel(&'static str, &'static str, &'static str),
    /// As `Private`, with the rows for which an expression is true.
    PrivateRows(&'static str, &'static str),
    /// As `PrivatePanel`, with the rows for which an expression is true.
    PrivateSubset(&'static str, &'static str, &'static str, &'static str),
}

/// Balanced synthetic panel: 259 units, 12 years.
pub const PANEL_BAL: DataSet = DataSet::Open("panel_bal", "unit", "year");
/// Synthetic panel with gaps, singletons, missing values and zero weights.
pub const PANEL_UNBAL: DataSet = DataSet::Open("panel_unbal", "unit", "year");
/// Synthetic workers and firms.
pub const AKM: DataSet = DataSet::Open("akm", "worker", "year");
/// Grunfeld's data, eleven firms.
pub const GRUNFELD: DataSet = DataSet::PrivatePanel("oracle/open/data/real_grunfeld.csv", "firm", "year");
/// Grunfeld's data as in Baltagi's book, ten firms.
pub const GRUNFELD_TEN: DataSet =
    DataSet::PrivateSubset("oracle/open/data/real_grunfeld.csv", "firm", "year", "firm != 'American Steel'");

/// A panel with what models share on it.
pub type Shared = Rc<(Panel, AbsorptionCache)>;

/// Panels that were read.
#[derive(Default)]
pub struct Store {
    panels: RefCell<HashMap<DataSet, Shared>>,
}

/// The folder with data that are not in the repository, if `PARALLAX_DATA` names one.
pub fn private_data() -> Option<PathBuf> {
    std::env::var_os("PARALLAX_DATA").map(PathBuf::from).filter(|it| it.is_dir())
}

/// The folder of this crate's own data.
pub fn open_data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/open")
}

/// A file of answers in the repository.
pub fn open_answers(file: &str) -> PathBuf {
    open_data().join("expected").join(file)
}

impl DataSet {
    /// The file, or `None` when it is private and `PARALLAX_DATA` is not set.
    fn path(self) -> Option<PathBuf> {
        match self {
            DataSet::Open(name, ..) | DataSet::OpenRows(name) => {
                Some(open_data().join("data").join(format!("{name}.parquet")))
            }
            DataSet::Private(name)
            | DataSet::PrivateRows(name, _)
            | DataSet::PrivatePanel(name, ..)
            | DataSet::PrivateSubset(name, ..) => private_data().map(|it| it.join(name)),
        }
    }

    fn index(self) -> Option<(&'static str, &'static str)> {
        match self {
            DataSet::OpenRows(_) | DataSet::Private(_) | DataSet::PrivateRows(..) => None,
            DataSet::Open(_, unit, time)
            | DataSet::PrivatePanel(_, unit, time)
            | DataSet::PrivateSubset(_, unit, time, _) => Some((unit, time)),
        }
    }
}

impl Store {
    /// The panel, or `None` when it is private and `PARALLAX_DATA` is not set.
    ///
    /// # Errors
    /// [`OracleError::File`].
    pub fn panel(&self, data: DataSet) -> Result<Option<Shared>, OracleError> {
        if let Some(it) = self.panels.borrow().get(&data) {
            return Ok(Some(Rc::clone(it)));
        }
        let Some(path) = data.path() else { return Ok(None) };
        let wrong = |reason: String| OracleError::File { path: path.clone(), reason };
        let mut request = ReadRequest::file(&path);
        if let Some((unit, time)) = data.index() {
            request = request.indexed(unit, time);
        }
        let mut panel = read(&request).map_err(|it| wrong(it.to_string()))?.panel;
        if let DataSet::PrivateRows(_, condition) | DataSet::PrivateSubset(_, _, _, condition) = data {
            let wanted = Expr::parse(condition).map_err(|it| wrong(it.to_string()))?;
            let mask = wanted.eval(&panel).map_err(|it| wrong(it.to_string()))?;
            let mask: Vec<bool> = mask.iter().map(|it| *it == 1.0).collect();
            panel = panel.keep(&mask).map_err(|it| wrong(it.to_string()))?;
        }
        let shared = Rc::new((panel, AbsorptionCache::default()));
        self.panels.borrow_mut().insert(data, Rc::clone(&shared));
        Ok(Some(shared))
    }
}
