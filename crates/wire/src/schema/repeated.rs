use bytes::{Buf, BufMut};
use prost::DecodeError;
use prost::encoding::{self, DecodeContext, WireType};

/// `message { repeated T items = 1; }` with at most `MAX` items.
///
/// The derived code would first build the whole list, of whatever length, and let us count afterwards: two bytes of
/// an empty item become a struct of up to 200. So the limit is watched while decoding; items past it are skipped and
/// remembered as [`overflow`](Self::overflow), which the conversion to core types refuses.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeated<T, const MAX: usize> {
    pub items: Vec<T>,
    pub overflow: bool,
}

const ITEMS: u32 = 1;

impl<T, const MAX: usize> Default for Repeated<T, MAX> {
    fn default() -> Self {
        Self { items: Vec::new(), overflow: false }
    }
}

impl<T, const MAX: usize> FromIterator<T> for Repeated<T, MAX> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self { items: items.into_iter().collect(), overflow: false }
    }
}

impl<T: prost::Message + Default, const MAX: usize> prost::Message for Repeated<T, MAX> {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        encoding::message::encode_repeated(ITEMS, &self.items, buf);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        if tag == ITEMS && self.items.len() < MAX {
            return encoding::message::merge_repeated(wire_type, &mut self.items, buf, ctx);
        }
        self.overflow |= tag == ITEMS;
        encoding::skip_field(wire_type, tag, buf, ctx)
    }

    fn encoded_len(&self) -> usize {
        encoding::message::encoded_len_repeated(ITEMS, &self.items)
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}
