//! Time as text. No time-zone tables: the offset comes from the reader's browser.

use domain::{Lang, Millis};

const SECOND: Millis = 1000;
const MINUTE: Millis = 60 * SECOND;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

/// Year, month and day of a number of days since 1970-01-01 (Hinnant's civil_from_days).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (
        yoe + era * 400 + i64::from(month <= 2),
        month,
        doy - (153 * mp + 2) / 5 + 1,
    )
}

/// `2026-11-20 17:42:10` at `offset` minutes east of UTC.
fn local(at: Millis, offset: i32) -> String {
    let at = at + Millis::from(offset) * MINUTE;
    let (year, month, day) = civil(at.div_euclid(DAY));
    let rest = at.rem_euclid(DAY);
    let (h, m, s) = (rest / HOUR, rest % HOUR / MINUTE, rest % MINUTE / SECOND);
    format!("{year:04}-{month:02}-{day:02} {h:02}:{m:02}:{s:02}")
}

/// Date, time and zone.
pub fn absolute(at: Millis, offset: i32) -> String {
    if offset == 0 {
        return format!("{} UTC", local(at, 0));
    }
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.abs();
    format!(
        "{} {sign}{:02}:{:02}",
        local(at, offset),
        minutes / 60,
        minutes % 60
    )
}

/// Hours, minutes and seconds alone.
pub fn clock(at: Millis, offset: i32) -> String {
    local(at, offset).split_off(11)
}

/// For the `datetime` attribute.
pub fn iso(at: Millis) -> String {
    format!("{}Z", local(at, 0).replace(' ', "T"))
}

/// `14 d 2 h`, `2 m 11 s`: the two largest units.
pub fn duration(lang: Lang, ms: Millis) -> String {
    let (d, h, m, s) = match lang {
        Lang::En => ("d", "h", "m", "s"),
        Lang::ZhCn => ("天", "小时", "分", "秒"),
    };
    let ms = ms.max(0);
    if ms >= DAY {
        format!("{} {d} {} {h}", ms / DAY, ms % DAY / HOUR)
    } else if ms >= HOUR {
        format!("{} {h} {} {m}", ms / HOUR, ms % HOUR / MINUTE)
    } else if ms >= MINUTE {
        format!("{} {m} {} {s}", ms / MINUTE, ms % MINUTE / SECOND)
    } else {
        format!("{} {s}", ms / SECOND)
    }
}

/// `3 s ago`, `4 min ago`: one unit.
pub fn ago(lang: Lang, ms: Millis) -> String {
    let ms = ms.max(0);
    let (n, en, zh) = match ms {
        _ if ms < MINUTE => (ms / SECOND, "s", "秒"),
        _ if ms < HOUR => (ms / MINUTE, "min", "分钟"),
        _ if ms < DAY => (ms / HOUR, "h", "小时"),
        _ => (ms / DAY, "d", "天"),
    };
    match lang {
        Lang::En => format!("{n} {en} ago"),
        Lang::ZhCn => format!("{n} {zh}前"),
    }
}

/// Bytes in binary units.
pub fn bytes(n: i64) -> String {
    let tenth = |unit: i64| format!("{}.{}", n / unit, n % unit * 10 / unit);
    match n {
        _ if n >= 1 << 30 => format!("{} GiB", tenth(1 << 30)),
        _ if n >= 1 << 20 => format!("{} MiB", tenth(1 << 20)),
        _ if n >= 1 << 10 => format!("{} KiB", tenth(1 << 10)),
        _ => format!("{n} B"),
    }
}

/// A count with thin groups of three, so that it needs no reader's locale.
pub fn count(n: i64) -> String {
    let digits = n.abs().to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    if n < 0 { format!("-{out}") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (at, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400_000, "2000-02-29 00:00:00 UTC"),
            (1_795_196_530_000, "2026-11-20 17:42:10 UTC"),
            (-1000, "1969-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(absolute(at, 0), text);
        }
        assert_eq!(absolute(1_795_196_530_000, -90), "2026-11-20 16:12:10 -01:30");
        assert_eq!(clock(1_795_196_530_000, 480), "01:42:10");
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn lengths_take_two_units_and_ages_one() {
        assert_eq!(duration(Lang::En, 131_000), "2 m 11 s");
        assert_eq!(duration(Lang::ZhCn, 90_000_000), "1 天 1 小时");
        assert_eq!(ago(Lang::En, 59_999), "59 s ago");
        assert_eq!(ago(Lang::ZhCn, 120_000), "2 分钟前");
        assert_eq!(
            (bytes(1536), count(10_000)),
            ("1.5 KiB".into(), "10\u{202f}000".into())
        );
    }
}
