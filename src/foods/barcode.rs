//! The number under the bars of a product: EAN-8, UPC-A, EAN-13 or ITF-14, with its check digit, in one form for each product.

use std::{fmt, str::FromStr};

/// 8, 13 or 14 digits whose last one checks the others. The same product has the same one, however it was written: UPC-A
/// gets the zero in front that makes an EAN-13 of it, and zeros that only fill up are taken away.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Barcode(String);

/// What is no barcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoBarcode {
    #[error("a barcode has 8, 12, 13 or 14 digits and nothing else")]
    Form,
    #[error("the last digit does not check the others: one of them was misread")]
    CheckDigit,
    #[error("a barcode of zeros names nothing")]
    Zeros,
}

impl Barcode {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether labels of where it was given out count fibre within carbohydrate: Korea, the United States and Canada do.
    #[must_use]
    pub fn counts_fibre(&self) -> bool {
        // The 14th digit in front says how many are in the box.
        let inner = if self.0.len() == 14 { &self.0[1..] } else { &self.0 };
        let prefix: u16 = inner[..3].parse().unwrap_or_default();
        prefix == 880 || (self.0.len() > 8 && matches!(prefix, 0..=19 | 30..=39 | 60..=139))
    }
}

impl fmt::Display for Barcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Barcode {
    type Err = NoBarcode;

    fn from_str(text: &str) -> Result<Self, NoBarcode> {
        if !matches!(text.len(), 8 | 12..=14) || !text.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(NoBarcode::Form);
        }
        if !checks(text) {
            return Err(NoBarcode::CheckDigit);
        }
        // Zeros in front change neither the number nor its check digit.
        let number = text.trim_start_matches('0');
        match number.len() {
            0 => Err(NoBarcode::Zeros),
            1..=8 => Ok(Self(format!("{number:0>8}"))),
            _ => Ok(Self(format!("{number:0>13}"))),
        }
    }
}

/// Every other digit counts three times, the one before the last among them; with the last one the sum is full tens.
fn checks(digits: &str) -> bool {
    let weighted = digits.bytes().rev().zip([1_u32, 3].into_iter().cycle());
    weighted.map(|(digit, weight)| u32::from(digit - b'0') * weight).sum::<u32>() % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_read_and_written_in_one_form() {
        for (written, form) in [
            ("96385074", "96385074"),
            ("73513537", "73513537"),
            ("4006381333931", "4006381333931"),
            ("3017620422003", "3017620422003"),
            ("8801043014830", "8801043014830"),
            ("036000291452", "0036000291452"),
            ("0036000291452", "0036000291452"),
            ("00036000291452", "0036000291452"),
            ("04006381333931", "4006381333931"),
            ("10614141000415", "10614141000415"),
            ("0000096385074", "96385074"),
            ("00000096385074", "96385074"),
        ] {
            assert_eq!(written.parse::<Barcode>().map(|barcode| barcode.0), Ok(form.to_owned()), "{written}");
        }
    }

    #[test]
    fn what_is_no_barcode_is_told_why() {
        for text in [
            "",
            "1",
            "9638507",
            "963850740",
            "96385074 ",
            "+6385074",
            "９６３８５０７４",
            "9638507\u{664}",
            "off:1234",
            "400638133393x",
        ] {
            assert_eq!(text.parse::<Barcode>(), Err(NoBarcode::Form), "{text:?}");
        }
        for zeros in ["00000000", "0000000000000"] {
            assert_eq!(zeros.parse::<Barcode>(), Err(NoBarcode::Zeros));
        }
    }

    #[test]
    fn one_digit_misread_or_two_neighbours_swapped_do_not_pass() {
        let good = "4006381333931";
        for at in 0..good.len() {
            for digit in b'0'..=b'9' {
                let mut bytes = good.as_bytes().to_vec();
                bytes[at] = digit;
                let text = String::from_utf8(bytes).unwrap();
                assert_eq!(text.parse::<Barcode>().is_ok(), text == good, "{text}");
            }
        }
        assert_eq!("4060381333931".parse::<Barcode>(), Err(NoBarcode::CheckDigit));
    }

    #[test]
    fn labels_of_korea_and_north_america_count_fibre() {
        for (barcode, counts) in [
            ("8801043014830", true),
            ("036000291452", true),
            ("10614141000415", true),
            ("3017620422003", false),
            ("4006381333931", false),
            ("96385074", false),
        ] {
            assert_eq!(barcode.parse::<Barcode>().unwrap().counts_fibre(), counts, "{barcode}");
        }
    }
}
