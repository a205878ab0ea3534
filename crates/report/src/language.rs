//! The fixed words of figures and reports, in English and Chinese.
//!
//! Titles and labels are the study's; these are the words that every study shares.

use serde::{Deserialize, Serialize};

/// The language of a figure or a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Language {
    /// Both, in the order of the manual.
    pub const ALL: [Language; 2] = [Language::En, Language::Zh];

    /// The name in study files and file names.
    pub fn name(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::Zh => "zh",
        }
    }

    /// The language tag of HTML and Word.
    pub fn tag(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::Zh => "zh-CN",
        }
    }

    pub(crate) fn word(self, word: Word) -> &'static str {
        let (en, zh) = word.both();
        match self {
            Language::En => en,
            Language::Zh => zh,
        }
    }
}

macro_rules! words {
    ($($name:ident: $en:literal, $zh:literal;)*) => {
        /// A fixed word or sentence.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Word { $($name),* }

        impl Word {
            fn both(self) -> (&'static str, &'static str) {
                match self { $(Word::$name => ($en, $zh)),* }
            }
        }
    };
}

words! {
    EventTime: "Periods since adoption", "距政策实施的期数";
    Estimate: "Estimate", "估计系数";
    Low: "Low", "下限";
    High: "High", "上限";
    SimultaneousLow: "Simultaneous low", "联合下限";
    SimultaneousHigh: "Simultaneous high", "联合上限";
    ReferenceMark: "(reference)", "（基准期）";
    Series: "Series", "系列";
    Draw: "Draw", "抽样";
    PValue: "p-value", "p 值";
    Actual: "actual estimate", "真实估计值";
    Covariate: "Covariate", "协变量";
    Before: "Before matching", "匹配前";
    After: "After matching", "匹配后";
    Label: "Label", "名称";
    Bandwidth: "Bandwidth of the density", "核密度带宽";
    Value: "Value", "数值";
    X: "x", "横轴";
}
