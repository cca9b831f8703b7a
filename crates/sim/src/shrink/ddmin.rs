/// Removes what it can from a list: halves first, then ever smaller parts, from the end, where what comes last is
/// needed least, down to parts of `least`. `without` is told which part to leave out, and says whether it was. (Zeller's
/// ddmin, complements only.)
pub fn remove_parts(
    len: usize,
    least: usize,
    mut without: impl FnMut(std::ops::Range<usize>) -> bool,
) -> bool {
    let (mut len, mut removed) = (len, false);
    let mut part = len.div_ceil(2).max(1);
    while len > 0 {
        let mut end = len;
        while end > 0 {
            let start = end.saturating_sub(part);
            if without(start..end) {
                len -= end - start;
                removed = true;
            }
            end = start;
        }
        if part <= least.max(1) {
            break;
        }
        part = (part / 2).max(1);
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    quickcheck! {
        /// Whatever set of items it takes for a list to fail: they are left, and nothing else.
        fn what_is_needed_is_left(len: u8, needed: Vec<u8>) -> bool {
            let needed: Vec<u8> = needed.into_iter().filter(|item| *item < len).collect();
            let mut list: Vec<u8> = (0..len).collect();
            remove_parts(list.len(), 1, |part| {
                let rest: Vec<u8> = [&list[..part.start], &list[part.end..]].concat();
                let fails = needed.iter().all(|item| rest.contains(item));
                if fails {
                    list = rest;
                }
                fails
            });
            list.iter().all(|item| needed.contains(item)) && needed.iter().all(|item| list.contains(item))
        }
    }
}
