//! Reads just enough of a Java class file to tell whether it has a `main` method
//! (The Java Virtual Machine Specification, chapter 4).

/// A reader over bytes that may end anywhere.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|b| u16::from_be_bytes([b[0], b[1]]))
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    }

    fn skip_attributes(&mut self) -> Option<()> {
        for _ in 0..self.u16()? {
            self.u16()?;
            let length = usize::try_from(self.u32()?).ok()?;
            self.take(length)?;
        }
        Some(())
    }
}

#[derive(Clone, Copy)]
enum Constant<'a> {
    Utf8(&'a [u8]),
    Class(u16),
    Other,
}

const PUBLIC_STATIC: u16 = 0x0001 | 0x0008;

/// The class's name with dots when it has `public static void main(String[])`.
pub(crate) fn main_class(bytes: &[u8]) -> Option<String> {
    let mut reader = Reader(bytes);
    if reader.u32()? != 0xCAFE_BABE {
        return None;
    }
    reader.u32()?;
    let pool = constants(&mut reader)?;
    let utf8 = |index: u16| match pool.get(usize::from(index)) {
        Some(Constant::Utf8(text)) => Some(*text),
        _ => None,
    };
    reader.u16()?;
    let this = reader.u16()?;
    reader.u16()?;
    let interfaces = reader.u16()?;
    reader.take(usize::from(interfaces) * 2)?;
    for _ in 0..reader.u16()? {
        reader.take(6)?;
        reader.skip_attributes()?;
    }
    for _ in 0..reader.u16()? {
        let flags = reader.u16()?;
        let (name, descriptor) = (reader.u16()?, reader.u16()?);
        reader.skip_attributes()?;
        if flags & PUBLIC_STATIC == PUBLIC_STATIC
            && utf8(name) == Some(b"main")
            && utf8(descriptor) == Some(b"([Ljava/lang/String;)V")
        {
            let Some(Constant::Class(name)) = pool.get(usize::from(this)) else {
                return None;
            };
            return String::from_utf8(utf8(*name)?.to_vec())
                .ok()
                .map(|name| name.replace('/', "."));
        }
    }
    None
}

fn constants<'a>(reader: &mut Reader<'a>) -> Option<Vec<Constant<'a>>> {
    let count = reader.u16()?;
    let mut pool = vec![Constant::Other];
    while pool.len() < usize::from(count) {
        let tag = reader.take(1)?[0];
        let mut wide = false;
        let constant = match tag {
            1 => {
                let length = reader.u16()?;
                Constant::Utf8(reader.take(usize::from(length))?)
            }
            7 => Constant::Class(reader.u16()?),
            3 | 4 | 9..=12 | 17 | 18 => reader.take(4).map(|_| Constant::Other)?,
            5 | 6 => {
                wide = true;
                reader.take(8).map(|_| Constant::Other)?
            }
            8 | 16 | 19 | 20 => reader.take(2).map(|_| Constant::Other)?,
            15 => reader.take(3).map(|_| Constant::Other)?,
            _ => return None,
        };
        pool.push(constant);
        // A long or double takes two places.
        if wide {
            pool.push(Constant::Other);
        }
    }
    Some(pool)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A class file written by hand: constants, one method.
    fn class(flags: u16, method: &str, descriptor: &str) -> Vec<u8> {
        let mut out = vec![0xCA, 0xFE, 0xBA, 0xBE, 0, 0, 0, 52, 0, 7];
        for text in ["com/example/Main", method, descriptor] {
            out.push(1);
            out.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
            out.extend(text.as_bytes());
        }
        out.extend([7, 0, 1]); // 4: class
        out.extend([5, 0, 0, 0, 0, 0, 0, 0, 1]); // 5 and 6: a long
        out.extend([0, 1, 0, 4, 0, 0, 0, 0, 0, 0]); // flags, this, super, interfaces, fields
        out.extend([0, 1]);
        out.extend(flags.to_be_bytes());
        out.extend([0, 2, 0, 3, 0, 0]);
        out.extend([0, 0]);
        out
    }

    #[test]
    fn finds_main_and_nothing_like_it() {
        let main = "([Ljava/lang/String;)V";
        assert_eq!(
            main_class(&class(9, "main", main)).as_deref(),
            Some("com.example.Main")
        );
        assert_eq!(main_class(&class(1, "main", main)), None);
        assert_eq!(main_class(&class(9, "main", "()V")), None);
        assert_eq!(main_class(&class(9, "mains", main)), None);
    }

    #[test]
    fn cut_files_are_no_panic() {
        let whole = class(9, "main", "([Ljava/lang/String;)V");
        for end in 0..whole.len() {
            let _ = main_class(&whole[..end]);
        }
    }
}
