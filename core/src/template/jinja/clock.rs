//! `strftime` in the C locale, of a time without a zone.

use std::fmt::Write;

use jiff::Zoned;
use jiff::civil::DateTime;

use super::text::{Builder, Text};

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Writes a time, the local one of the call where `now` is unset.
pub(super) fn strftime(now: Option<DateTime>, format: &Text<'_>, out: &mut Builder) {
    let now = now.unwrap_or_else(|| Zoned::now().datetime());
    expand(now, format, out);
}

/// What the format itself says keeps its origin, and what a directive stands for has the directive's.
fn expand(now: DateTime, format: &Text<'_>, out: &mut Builder) {
    let mut rest = format.as_str();
    while let Some(at) = rest.find('%') {
        let outside = format.is_untrusted_at(format.len() - rest.len() + at);
        out.text(&format.part(&rest[..at]));
        let asked = &rest[at..];
        rest = &rest[at + 1..];
        let flags_end = rest.find(|c| !"-_0^#".contains(c)).unwrap_or(rest.len());
        let width_end = rest[flags_end..]
            .find(|c: char| !c.is_ascii_digit())
            .map_or(rest.len(), |length| flags_end + length);
        let after = rest[width_end..].trim_start_matches(['E', 'O']);
        let Some(directive) = after.chars().next() else {
            out.text(&format.part(asked));
            return;
        };
        let style = Style {
            flags: &rest[..flags_end],
            width: rest[flags_end..width_end].parse().ok(),
            outside,
        };
        match field(now, directive) {
            Some(field) => style.write(now, field, out),
            None => {
                let length = asked.len() - after.len() + directive.len_utf8();
                out.text(&format.part(&asked[..length]));
            }
        }
        rest = &after[directive.len_utf8()..];
    }
    out.text(&format.part(rest));
}

/// What a directive stands for.
enum Field {
    /// A number with its width and what fills it.
    Number(i64, usize, char),
    Text(String),
    /// Other directives.
    Format(&'static str),
}

fn field(now: DateTime, directive: char) -> Option<Field> {
    use Field::{Format, Number, Text};
    let weekday = usize::from(now.weekday().to_monday_zero_offset().unsigned_abs());
    let day = DAYS[weekday];
    let month = MONTHS[usize::from(now.month().unsigned_abs()) - 1];
    let hour12 = match now.hour() % 12 {
        0 => 12,
        hour => i64::from(hour),
    };
    let of_year = i64::from(now.day_of_year());
    let iso = now.date().iso_week_date();
    let two = |number: i64| Number(number, 2, '0');
    Some(match directive {
        'a' => Text(day[..3].to_owned()),
        'A' => Text(day.to_owned()),
        'b' | 'h' => Text(month[..3].to_owned()),
        'B' => Text(month.to_owned()),
        'c' => Format("%a %b %e %H:%M:%S %Y"),
        'C' => two(i64::from(now.year()).div_euclid(100)),
        'd' => two(i64::from(now.day())),
        'D' | 'x' => Format("%m/%d/%y"),
        'e' => Number(i64::from(now.day()), 2, ' '),
        'f' => Number(i64::from(now.subsec_nanosecond()) / 1000, 6, '0'),
        'F' => Format("%Y-%m-%d"),
        'g' => two(i64::from(iso.year()).rem_euclid(100)),
        'G' => Number(i64::from(iso.year()), 1, '0'),
        'H' => two(i64::from(now.hour())),
        'I' => two(hour12),
        'j' => Number(of_year, 3, '0'),
        'k' => Number(i64::from(now.hour()), 2, ' '),
        'l' => Number(hour12, 2, ' '),
        'm' => two(i64::from(now.month())),
        'M' => two(i64::from(now.minute())),
        'n' => Text("\n".to_owned()),
        'p' => Text(if now.hour() < 12 { "AM" } else { "PM" }.to_owned()),
        'P' => Text(if now.hour() < 12 { "am" } else { "pm" }.to_owned()),
        'r' => Format("%I:%M:%S %p"),
        'R' => Format("%H:%M"),
        's' => Number(seconds(now), 1, '0'),
        'S' => two(i64::from(now.second())),
        't' => Text("\t".to_owned()),
        'T' | 'X' => Format("%H:%M:%S"),
        'u' => Number(weekday as i64 + 1, 1, '0'),
        'U' => two((of_year + 6 - (weekday as i64 + 1) % 7) / 7),
        'V' => two(i64::from(iso.week())),
        'w' => Number((weekday as i64 + 1) % 7, 1, '0'),
        'W' => two((of_year + 6 - weekday as i64) / 7),
        'y' => two(i64::from(now.year()).rem_euclid(100)),
        'Y' => Number(i64::from(now.year()), 1, '0'),
        'z' | 'Z' => Text(String::new()),
        '%' => Text("%".to_owned()),
        _ => return None,
    })
}

/// Seconds since 1970 of a local time.
fn seconds(now: DateTime) -> i64 {
    let zoned = now.to_zoned(jiff::tz::TimeZone::system());
    zoned.map_or(0, |zoned| zoned.timestamp().as_second())
}

/// Flags and width between the `%` and the directive, as glibc has them.
struct Style<'f> {
    flags: &'f str,
    width: Option<usize>,
    /// Whether the directive came from outside.
    outside: bool,
}

impl Style<'_> {
    fn write(&self, now: DateTime, field: Field, out: &mut Builder) {
        /// Wider fields are of no use.
        const WIDEST: usize = 1024;
        let mut text = String::new();
        let (width, mut fill) = match field {
            Field::Number(number, width, fill) => {
                let _ = write!(text, "{number}");
                (width, fill)
            }
            Field::Text(field) => {
                text = field;
                (0, ' ')
            }
            Field::Format(format) => return expand(now, &Text::given(format, self.outside), out),
        };
        let mut width = self.width.map_or(width, |asked| asked.min(WIDEST));
        for flag in self.flags.chars() {
            match flag {
                '-' => width = 0,
                '_' => fill = ' ',
                '0' => fill = '0',
                '^' => text = text.to_uppercase(),
                _ if text.chars().all(|c| c.is_uppercase()) => text = text.to_lowercase(),
                _ => text = text.to_uppercase(),
            }
        }
        out.fill(
            fill,
            width.saturating_sub(text.chars().count()),
            self.outside,
        );
        out.push(&text, self.outside);
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::meter::Meter;
    use super::super::text::{Builder, Text};
    use super::strftime;

    #[test]
    fn formats_as_python() {
        let now = "2026-03-07T08:05:09.012345".parse().unwrap();
        let meter = Rc::new(Meter::for_input(0));
        for (format, text) in [
            ("%d %b %Y", "07 Mar 2026"),
            ("%B %-d, %Y", "March 7, 2026"),
            ("%Y-%m-%d %H:%M:%S.%f", "2026-03-07 08:05:09.012345"),
            ("%A %a %p %I %j 100%%", "Saturday Sat AM 08 066 100%"),
            ("[%Z%z]", "[]"),
            (
                "%c|%D|%e|%k|%l|%R|%T",
                "Sat Mar  7 08:05:09 2026|03/07/26| 7| 8| 8|08:05|08:05:09",
            ),
            ("%G-W%V-%u %U %W %w %y %C", "2026-W10-6 09 09 6 26 20"),
            (
                "%^a %#p %_d %05d %x %X %h %r",
                "SAT am  7 00007 03/07/26 08:05:09 Mar 08:05:09 AM",
            ),
            ("%", "%"),
            ("%Q", "%Q"),
        ] {
            let mut out = Builder::new(&meter);
            strftime(Some(now), &Text::trusted(format), &mut out);
            assert_eq!(out.as_str(), text, "{format}");
        }
    }
}
