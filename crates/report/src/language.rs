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
    Simulated: "Simulated data", "模拟数据";
    SimulatedNote: "All data here are simulated; no number is a finding.", "本图数据均为模拟数据，任何数字都不是研究发现。";
    EventTime: "Periods since adoption", "距政策实施的期数";
    Effect: "Estimated effect", "估计效应";
    Estimate: "Estimate", "估计系数";
    Low: "Low", "下限";
    High: "High", "上限";
    Pointwise: "pointwise interval", "逐点置信区间";
    Simultaneous: "simultaneous interval", "联合置信区间";
    SimultaneousLow: "Simultaneous low", "联合下限";
    SimultaneousHigh: "Simultaneous high", "联合上限";
    Reference: "reference period", "基准期";
    AllBeyond: "this and all periods beyond", "该期及以外各期合并";
    ReferenceMark: "(reference)", "（基准期）";
    Series: "Series", "系列";
    Draw: "Draw", "抽样";
    PValue: "p-value", "p 值";
    Density: "Density", "核密度";
    DensityOf: "kernel density", "核密度曲线";
    DrawsLabel: "draws: p-value", "随机抽样：p 值";
    Actual: "actual estimate", "真实估计值";
    DrawsShown: "{some} of {all} draws are drawn as points; the density has all of them.", "散点仅绘出 {all} 次抽样中的 {some} 次；核密度使用全部抽样。";
    Comma: ", ", "，";
    Interval: "confidence interval", "置信区间";
    None: "not estimated", "未估计";
    Covariate: "Covariate", "协变量";
    Before: "Before matching", "匹配前";
    After: "After matching", "匹配后";
    Bias: "Standardised bias (%)", "标准化偏差（%）";
    Label: "Label", "名称";
    Bandwidth: "Bandwidth of the density", "核密度带宽";
    Value: "Value", "数值";
    X: "x", "横轴";
    Treated: "Treated", "已实施";
    NotYet: "Not treated (yet)", "未实施";
    NotObserved: "Not observed", "无数据";
    Never: "never", "从未实施";
    Weight: "Weight", "权重";
    Twfe: "TWFE", "双向固定效应";
    Period: "Period", "时期";
    Units: "Units", "个体数";
    ObservedShare: "Shares of the units that are observed, by period.", "各期有数据的个体比例。";
    Source: "Data", "数据";
    ReferenceOf: "Study", "文献";
    Version: "Made by Parallax", "由 Parallax 生成，版本";
    Contents: "Contents", "目录";
    Numbers: "The numbers of this figure", "本图数据";
    Compared: "Printed against ours", "印刷值与复现值对照";
    Flow: "How the sample came to be", "样本形成过程";
    Files: "Data files", "数据文件";
    File: "File", "文件";
    Rows: "Rows", "行数";
    Licence: "Licence", "许可";
    Conventions: "Conventions", "约定";
    Notes: "Notes", "说明";
    Column: "Column", "列";
    Row: "Row", "行";
    What: "What", "项目";
    Printed: "Printed", "印刷值";
    Ours: "Ours", "复现值";
    Difference: "Difference", "差";
    Verdict: "Verdict", "结论";
    DocumentSimulated: "This report is made from simulated data. No number in it is a finding.", "本报告使用模拟数据，其中任何数字都不是研究发现。";
}
