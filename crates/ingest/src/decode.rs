//! Appends Arrow arrays of every supported type to a [`Raw`] column.

use arrow::{
    array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray},
    datatypes::{
        ArrowNativeType, DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
        Decimal256Type, DecimalType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
        Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
        TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
};
use parallax_panel::MISSING;

use crate::raw::{Conflict, EXACT, NO_LONG, Raw};

/// Appends every value of `array`; nulls become missing.
pub(crate) fn append(array: &ArrayRef, raw: &mut Raw) -> Result<(), Conflict> {
    match array.data_type() {
        DataType::Null => {
            raw.push_missing(array.len());
            Ok(())
        }
        DataType::Boolean => booleans(array, raw),
        DataType::Int8 => integers::<Int8Type>(array, raw, f64::from, i128::from),
        DataType::Int16 => integers::<Int16Type>(array, raw, f64::from, i128::from),
        DataType::Int32 => integers::<Int32Type>(array, raw, f64::from, i128::from),
        DataType::Int64 => integers::<Int64Type>(array, raw, |it| it as f64, i128::from),
        DataType::UInt8 => integers::<UInt8Type>(array, raw, f64::from, i128::from),
        DataType::UInt16 => integers::<UInt16Type>(array, raw, f64::from, i128::from),
        DataType::UInt32 => integers::<UInt32Type>(array, raw, f64::from, i128::from),
        DataType::UInt64 => integers::<UInt64Type>(array, raw, |it| it as f64, i128::from),
        DataType::Float16 => reals::<Float16Type>(array, raw, f64::from),
        DataType::Float32 => reals::<Float32Type>(array, raw, f64::from),
        DataType::Float64 => reals::<Float64Type>(array, raw, |it| it),
        DataType::Decimal32(_, scale) => decimals::<Decimal32Type>(array, raw, *scale),
        DataType::Decimal64(_, scale) => decimals::<Decimal64Type>(array, raw, *scale),
        DataType::Decimal128(_, scale) => decimals::<Decimal128Type>(array, raw, *scale),
        DataType::Decimal256(_, scale) => decimals::<Decimal256Type>(array, raw, *scale),
        DataType::Date32 => days::<Date32Type>(array, raw, f64::from),
        DataType::Date64 => days::<Date64Type>(array, raw, |it| in_days(it, 86_400_000)),
        DataType::Timestamp(unit, _) => timestamps(array, raw, *unit),
        DataType::Utf8 => texts(array.as_string::<i32>().iter(), raw),
        DataType::LargeUtf8 => texts(array.as_string::<i64>().iter(), raw),
        DataType::Utf8View => texts(array.as_string_view().iter(), raw),
        DataType::Dictionary(_, _) => dictionary(array, raw),
        other => Err(Conflict { held: "a column", met: format!("values of type {other}") }),
    }
}

/// Whether [`append`] takes arrays of this type.
pub(crate) fn supported(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, value) => !matches!(**value, DataType::Dictionary(_, _)) && supported(value),
        DataType::Null | DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            true
        }
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => true,
        DataType::Decimal32(_, _) | DataType::Decimal64(_, _) => true,
        DataType::Decimal128(_, _) | DataType::Decimal256(_, _) => true,
        other => other.is_integer() || other.is_floating(),
    }
}

fn booleans(array: &ArrayRef, raw: &mut Raw) -> Result<(), Conflict> {
    let number = |it: Option<bool>| it.map_or(f64::NAN, |it| f64::from(u8::from(it)));
    raw.real_mut()?.extend(array.as_boolean().iter().map(number));
    Ok(())
}

fn reals<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    raw: &mut Raw,
    to: fn(T::Native) -> f64,
) -> Result<(), Conflict> {
    push(array.as_primitive::<T>(), raw.real_mut()?, to);
    Ok(())
}

fn days<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    raw: &mut Raw,
    to: fn(T::Native) -> f64,
) -> Result<(), Conflict> {
    push(array.as_primitive::<T>(), raw.days_mut()?, to);
    Ok(())
}

/// Converts all values first and then overwrites nulls: the loop without a branch is the fast one.
fn push<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    values: &mut Vec<f64>,
    to: impl Fn(T::Native) -> f64,
) {
    let start = values.len();
    values.extend(array.values().iter().map(|&it| to(it)));
    let Some(nulls) = array.nulls().filter(|it| 0 < it.null_count()) else { return };
    for (value, valid) in values.iter_mut().skip(start).zip(nulls.iter()) {
        if !valid {
            *value = f64::NAN;
        }
    }
}

/// Whole numbers: numbers as long as `f64` holds them, identifiers from the first that is longer.
fn integers<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    raw: &mut Raw,
    to: fn(T::Native) -> f64,
    wide: fn(T::Native) -> i128,
) -> Result<(), Conflict> {
    let array = array.as_primitive::<T>();
    let long = |it: T::Native| EXACT < wide(it).abs();
    let has_long = array.values().iter().any(|&it| long(it)) && array.iter().flatten().any(long);
    if has_long || matches!(raw, Raw::Long(_)) {
        raw.long_mut()?.extend(array.iter().map(|it| it.map_or(NO_LONG, wide)));
    } else {
        push(array, raw.real_mut()?, to);
    }
    Ok(())
}

/// Division of two exact numbers is correctly rounded; anything larger goes through its decimal text.
fn decimals<T: DecimalType + ArrowPrimitiveType>(
    array: &ArrayRef,
    raw: &mut Raw,
    scale: i8,
) -> Result<(), Conflict> {
    let array = array.as_primitive::<T>();
    let divisor = 10f64.powi(i32::from(scale));
    let exact = (0..=22).contains(&scale);
    let values = raw.real_mut()?;
    for row in 0..array.len() {
        values.push(if array.is_null(row) {
            f64::NAN
        } else {
            match array.value(row).to_i64() {
                Some(it) if exact && i128::from(it).abs() <= EXACT => it as f64 / divisor,
                _ => array.value_as_string(row).parse().unwrap_or(f64::NAN),
            }
        });
    }
    Ok(())
}

fn timestamps(array: &ArrayRef, raw: &mut Raw, unit: TimeUnit) -> Result<(), Conflict> {
    match unit {
        TimeUnit::Second => days::<TimestampSecondType>(array, raw, |it| in_days(it, 86_400)),
        TimeUnit::Millisecond => days::<TimestampMillisecondType>(array, raw, |it| in_days(it, 86_400_000)),
        TimeUnit::Microsecond => {
            days::<TimestampMicrosecondType>(array, raw, |it| in_days(it, 86_400_000_000))
        }
        TimeUnit::Nanosecond => {
            days::<TimestampNanosecondType>(array, raw, |it| in_days(it, 86_400_000_000_000))
        }
    }
}

/// Whole days are exact; a time of day becomes a fraction.
fn in_days(ticks: i64, ticks_per_day: i64) -> f64 {
    ticks.div_euclid(ticks_per_day) as f64 + ticks.rem_euclid(ticks_per_day) as f64 / ticks_per_day as f64
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>, raw: &mut Raw) -> Result<(), Conflict> {
    let text = raw.text_mut()?;
    for value in values {
        let code = value.map_or(MISSING, |it| text.code_of_value(it));
        text.code.push(code);
    }
    Ok(())
}

/// Dictionary keys are translated once a distinct value, not once a row.
fn dictionary(array: &ArrayRef, raw: &mut Raw) -> Result<(), Conflict> {
    let dictionary = array.as_any_dictionary();
    let values = dictionary.values();
    if values.is_empty() {
        raw.push_missing(array.len());
        return Ok(());
    }
    let nulls = dictionary.nulls();
    let is_null = |row: usize| nulls.is_some_and(|it| it.is_null(row));
    let keys = dictionary.normalized_keys();
    let keys = keys.into_iter().enumerate().map(|(row, key)| (!is_null(row)).then_some(key));
    match values.data_type() {
        DataType::Utf8 => {
            let values = values.as_string::<i32>();
            return keyed_texts(
                keys,
                values.len(),
                |key| values.is_valid(key).then(|| values.value(key)),
                raw,
            );
        }
        DataType::LargeUtf8 => {
            let values = values.as_string::<i64>();
            return keyed_texts(
                keys,
                values.len(),
                |key| values.is_valid(key).then(|| values.value(key)),
                raw,
            );
        }
        DataType::Utf8View => {
            let values = values.as_string_view();
            return keyed_texts(
                keys,
                values.len(),
                |key| values.is_valid(key).then(|| values.value(key)),
                raw,
            );
        }
        _ => {}
    }
    let mut plain = Raw::new(values.len());
    append(values, &mut plain)?;
    keyed_numbers(keys, &plain, raw)
}

fn keyed_texts<'a>(
    keys: impl Iterator<Item = Option<usize>>,
    n_values: usize,
    value: impl Fn(usize) -> Option<&'a str>,
    raw: &mut Raw,
) -> Result<(), Conflict> {
    let text = raw.text_mut()?;
    // `None` is a value not met yet: values that no row uses never become groups.
    let mut code_of: Vec<Option<u32>> = vec![None; n_values];
    for key in keys {
        let slot = key.and_then(|key| code_of.get_mut(key).map(|slot| (key, slot)));
        let code = match slot {
            None => MISSING,
            Some((_, Some(code))) => *code,
            Some((key, slot)) => {
                let value = value(key);
                let code = value.map_or(MISSING, |it| text.code_of_value(it));
                // The empty text is counted in each row, so its code is not kept.
                *slot = value.is_none_or(|it| !it.is_empty()).then_some(code);
                code
            }
        };
        text.code.push(code);
    }
    Ok(())
}

fn keyed_numbers(
    keys: impl Iterator<Item = Option<usize>>,
    plain: &Raw,
    raw: &mut Raw,
) -> Result<(), Conflict> {
    let real =
        |values: &[f64], key: Option<usize>| key.and_then(|it| values.get(it).copied()).unwrap_or(f64::NAN);
    let long =
        |values: &[i128], key: Option<usize>| key.and_then(|it| values.get(it).copied()).unwrap_or(NO_LONG);
    match plain {
        Raw::Real(values) if matches!(raw, Raw::Long(_)) => {
            let wide = |it: f64| if it.is_nan() { NO_LONG } else { it as i128 };
            raw.long_mut()?.extend(keys.map(|key| wide(real(values, key))));
        }
        Raw::Real(values) => raw.real_mut()?.extend(keys.map(|key| real(values, key))),
        Raw::Days(values) => raw.days_mut()?.extend(keys.map(|key| real(values, key))),
        Raw::Long(values) => raw.long_mut()?.extend(keys.map(|key| long(values, key))),
        Raw::Untyped { .. } | Raw::Text(_) => raw.push_missing(keys.count()),
    }
    Ok(())
}
