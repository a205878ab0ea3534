//! The arithmetic of one unit: lines through neighbouring known points.

/// Fills missing values from the lines between neighbouring known ones; beyond the first and the
/// last known value only when `extend` is set and two values are known.
///
/// `times` ascend strictly, one a value.
pub(crate) fn fill(times: &[i32], values: &mut [f64], extend: bool) {
    let known: Vec<Point> = times
        .iter()
        .zip(values.iter())
        .filter(|(_, value)| !value.is_nan())
        .map(|(&time, &value)| Point { time: f64::from(time), value })
        .collect();
    let (Some(first), Some(last)) = (known.first(), known.last()) else {
        return;
    };
    let mut segments = known.windows(2).peekable();
    for (&time, value) in times.iter().zip(values.iter_mut()) {
        let time = f64::from(time);
        // The segment in force is the last one that has not ended before this time.
        while segments.peek().is_some_and(|it| it[1].time < time) && 1 < segments.len() {
            segments.next();
        }
        let outside = time < first.time || last.time < time;
        if !value.is_nan() || (outside && !extend) {
            continue;
        }
        if let Some([left, right]) = segments.peek() {
            *value = between(left, right, time);
        }
    }
}

struct Point {
    time: f64,
    value: f64,
}

/// The line through two points, in the order of operations of Stata's `ipolate`.
fn between(left: &Point, right: &Point, time: f64) -> f64 {
    (right.value - left.value) / (right.time - left.time) * (time - left.time) + left.value
}
