//! Numbers within sentences.

/// Three decimals where they show three digits, more where the number is small.
pub(super) fn short(value: f64) -> String {
    let magnitude = value.abs();
    match magnitude {
        it if it < 1e-12 => "0".to_owned(),
        it if it < 1e-4 => format!("{value:.1e}"),
        it if it < 0.01 => format!("{value:.4}"),
        it if it < 1000.0 => format!("{value:.3}"),
        it if it < 1e7 => format!("{value:.1}"),
        _ => format!("{value:.3e}"),
    }
}

/// `p 0.031`, `p < 0.0001`.
pub(super) fn p_text(p: f64) -> String {
    if p < 1e-4 { "p < 0.0001".to_owned() } else { format!("p {}", short(p)) }
}

/// A share in per cent, without the last bits of the multiplication.
pub(super) fn percent(share: f64) -> f64 {
    (1e8 * share).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_never_a_negative_zero() {
        let shown: Vec<String> =
            [0.0, -0.0, -1e-17, 0.12345, -0.00234, 3.2e-6, 512.25, -1234.56, 2.5e9].map(short).to_vec();
        assert_eq!(shown, ["0", "0", "0", "0.123", "-0.0023", "3.2e-6", "512.250", "-1234.6", "2.500e9"]);
        assert_eq!([p_text(0.0), p_text(0.25)], ["p < 0.0001", "p 0.250"]);
        assert_eq!(
            [percent(0.95), percent(1.0 - 0.95), percent(0.999), percent(0.57)],
            [95.0, 5.0, 99.9, 57.0]
        );
    }
}
