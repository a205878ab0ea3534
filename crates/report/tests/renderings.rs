//! Each rendering, to the letter.

mod common;

use common::{descriptive, regression};
use parallax_report::{Cell, Digits, Format, HeaderRow, Row, Table, render};

#[test]
fn text_of_a_regression_table() {
    assert_eq!(
        render(&regression(), Format::Text),
        r#"Table 3. Robustness: lag test (simulated data)
============================================================================
                   (1)         (2)                      (3)
                      1-year lag                     2-year lag
                ----------------------
                Resilience  Resilience               Resilience
----------------------------------------------------------------------------
跨境电商 L.did   4.728**      3.652**   failed: the covariance is not of fu…
                (1.830)      (1.544)
Constant         7.203***   -23.720***
                (0.577)      (6.299)
----------------------------------------------------------------------------
Controls            NO         YES                      YES
Observations      2,849       2,849
R-squared        0.780        0.815
============================================================================
All data here are simulated; no number is a finding.
Standard errors clustered by city; * p<0.1, ** p<0.05, *** p<0.01.
Column (3) failed: the covariance is not of full rank: 2 clusters for 7
terms.
"#
    );
}

#[test]
fn text_of_a_descriptive_table() {
    assert_eq!(
        render(&descriptive(), Format::Text),
        r#"Descriptive statistics
===================================================
Variables            N        mean          min
---------------------------------------------------
Panel A: 城市
Resilience         3,108  24.2               -11.45
Share, "A|B" & 5%     12   0.0000123457        0
#Patents               0                 1234570
===================================================
"#
    );
}

#[test]
fn markdown_of_a_regression_table() {
    assert_eq!(
        render(&regression(), Format::Markdown),
        r#"**Table 3. Robustness: lag test (simulated data)**

|                |         (1) |           (2) |                                  (3) |
| :------------- | ----------: | ------------: | -----------------------------------: |
|                |  1-year lag |    1-year lag |                           2-year lag |
|                |  Resilience |    Resilience |                           Resilience |
| 跨境电商 L.did |   4.728\*\* |     3.652\*\* | failed: the covariance is not of fu… |
|                |     (1.830) |       (1.544) |                                      |
| Constant       | 7.203\*\*\* | -23.720\*\*\* |                                      |
|                |     (0.577) |       (6.299) |                                      |
| Controls       |          NO |           YES |                                  YES |
| Observations   |       2,849 |         2,849 |                                      |
| R-squared      |       0.780 |         0.815 |                                      |

All data here are simulated; no number is a finding.

Standard errors clustered by city; \* p\<0.1, \*\* p\<0.05, \*\*\* p\<0.01.

Column (3) failed: the covariance is not of full rank: 2 clusters for 7 terms.
"#
    );
}

#[test]
fn markdown_of_a_descriptive_table() {
    assert_eq!(
        render(&descriptive(), Format::Markdown),
        r#"**Descriptive statistics**

| Variables          |     N |         mean |     min |
| :----------------- | ----: | -----------: | ------: |
| **Panel A: 城市**  |       |              |         |
| Resilience         | 3,108 |         24.2 |  -11.45 |
| Share, "A\|B" & 5% |    12 | 0.0000123457 |       0 |
| #Patents           |     0 |              | 1234570 |
"#
    );
}

#[test]
fn latex_of_a_regression_table() {
    assert_eq!(
        render(&regression(), Format::Latex),
        r#"% Needs \usepackage{booktabs}.
% Chinese text needs XeLaTeX or LuaLaTeX with \usepackage{ctex}.
\begin{table}[htbp]
\centering
\caption{Table 3. Robustness: lag test (simulated data)}
\label{tab:table-3}
\begin{tabular}{lccc}
\toprule
 & (1) & (2) & (3) \\
 & \multicolumn{2}{c}{1-year lag} & 2-year lag \\
\cmidrule(lr){2-3}
 & Resilience & Resilience & Resilience \\
\midrule
跨境电商 L.did & 4.728$^{**}$ & 3.652$^{**}$ & failed: the covariance is not of fu\ldots{} \\
 & (1.830) & (1.544) &  \\
Constant & 7.203$^{***}$ & $-$23.720$^{***}$ &  \\
 & (0.577) & (6.299) &  \\
\midrule
Controls & NO & YES & YES \\
Observations & 2,849 & 2,849 &  \\
R-squared & 0.780 & 0.815 &  \\
\bottomrule
\end{tabular}

\medskip
\begin{minipage}{\linewidth}
\footnotesize
All data here are simulated; no number is a finding.\par
Standard errors clustered by city; * p\textless{}0.1, ** p\textless{}0.05, *** p\textless{}0.01.\par
Column (3) failed: the covariance is not of full rank: 2 clusters for 7 terms.
\end{minipage}
\end{table}
"#
    );
}

#[test]
fn latex_of_a_descriptive_table() {
    assert_eq!(
        render(&descriptive(), Format::Latex),
        r#"% Needs \usepackage{booktabs}.
% Chinese text needs XeLaTeX or LuaLaTeX with \usepackage{ctex}.
\begin{table}[htbp]
\centering
\caption{Descriptive statistics}
\label{tab:table1}
\begin{tabular}{lrcc}
\toprule
Variables & \multicolumn{1}{c}{N} & mean & min \\
\midrule
\multicolumn{4}{l}{\emph{Panel A: 城市}} \\
Resilience & 3,108 & 24.2 & $-$11.45 \\
Share, "A\textbar{}B" \& 5\% & 12 & 0.0000123457 & 0 \\
\#Patents & 0 &  & 1234570 \\
\bottomrule
\end{tabular}
\end{table}
"#
    );
}

#[test]
fn csv_of_a_regression_table() {
    assert_eq!(
        render(&regression(), Format::Csv),
        r##"#,Table 3. Robustness: lag test (simulated data),,
,(1),(2),(3)
,1-year lag,1-year lag,2-year lag
,Resilience,Resilience,Resilience
跨境电商 L.did,4.728**,3.652**,failed: the covariance is not of fu…
,(1.830),(1.544),
Constant,7.203***,-23.720***,
,(0.577),(6.299),
Controls,NO,YES,YES
Observations,2849,2849,
R-squared,0.780,0.815,
#,All data here are simulated; no number is a finding.,,
#,"Standard errors clustered by city; * p<0.1, ** p<0.05, *** p<0.01.",,
#,Column (3) failed: the covariance is not of full rank: 2 clusters for 7 terms.,,
"##
    );
}

#[test]
fn csv_of_a_descriptive_table() {
    assert_eq!(
        render(&descriptive(), Format::Csv),
        r##"#,Descriptive statistics,,
Variables,N,mean,min
Panel A: 城市,,,
Resilience,3108,24.2,-11.45
"Share, ""A|B"" & 5%",12,0.0000123457,0
"#Patents",0,,1234570
"##
    );
}

#[test]
fn json_of_a_small_table() {
    let mut table = Table::new("t", "T");
    table.simulated = true;
    table.header = vec![HeaderRow::spans([("", 1), ("(1)", 1)])];
    let cell = Cell::Number { value: 0.1 + 0.2, digits: Digits::Significant(6) };
    table.body = vec![Row::cells("x", [cell]), Row::Rule];
    assert_eq!(
        render(&table, Format::Json),
        r#"{
  "id": "t",
  "title": "T (simulated data)",
  "simulated": true,
  "header": [
    [
      {
        "text": "",
        "span": 1
      },
      {
        "text": "(1)",
        "span": 1
      }
    ]
  ],
  "body": [
    {
      "row": {
        "label": "x",
        "cells": [
          {
            "number": {
              "value": 0.30000000000000004,
              "digits": {
                "significant": 6
              }
            }
          }
        ]
      }
    },
    "rule"
  ],
  "notes": [
    "All data here are simulated; no number is a finding."
  ]
}
"#
    );
}

#[test]
fn an_empty_table_renders() {
    for format in Format::ALL {
        let text = render(&Table::new("nothing", ""), format);
        assert!(text.contains("nothing") && text.ends_with('\n'), "{format}: {text}");
    }
}

#[test]
fn wide_spans_widen_their_columns() {
    let mut table = Table::new("t", "T");
    table.header =
        vec![HeaderRow::spans([("", 1), ("数字金融总指数", 2)]), HeaderRow::new(["", "(1)", "(2)"])];
    table.body = vec![Row::cells("x", [Cell::yes_no(true), Cell::yes_no(false)])];
    assert_eq!(
        render(&table, Format::Text),
        r#"T
=================
   数字金融总指数
   --------------
   (1)     (2)
-----------------
x  YES     NO
=================
"#
    );
}
