//! Properties of buckets and bucket types.

use bytes::Bytes;
use cartwheel_riak::pb::code;
use cartwheel_riak::pb::message::{
    RpbBucketProps, RpbGetBucketReq, RpbGetBucketResp, RpbGetBucketTypeReq, RpbResetBucketReq,
    RpbSetBucketReq, RpbSetBucketTypeReq,
};

use crate::bucket::{Bucket, BucketType};
use crate::call::{Call, Repeat};
use crate::error::Error;
use crate::quorum::Quorum;

/// Properties. Setting them sets those that are `Some`, and leaves the others as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Props {
    /// N: how many homes a key has.
    pub n_val: Option<u8>,
    /// Whether siblings are kept.
    pub allow_mult: Option<bool>,
    /// Whether the write with the latest clock replaces all others.
    pub last_write_wins: Option<bool>,
    /// R, where a read names none.
    pub r: Option<Quorum>,
    /// PR likewise.
    pub pr: Option<Quorum>,
    /// W, where a write names none.
    pub w: Option<Quorum>,
    /// PW likewise.
    pub pw: Option<Quorum>,
    /// DW likewise.
    pub dw: Option<Quorum>,
    /// RW, where a delete names none.
    pub rw: Option<Quorum>,
    /// Whether a majority that has nothing is enough to say so.
    pub basic_quorum: Option<bool>,
    /// Whether a replica that has nothing has answered.
    pub notfound_ok: Option<bool>,
    /// The data type of the values: `counter`, `set`, `map`, `gset` or `hll`. Fixed when a bucket type is made.
    pub datatype: Option<String>,
    /// Whether keys are written once.
    pub write_once: Option<bool>,
    /// How precise HyperLogLogs are.
    pub hll_precision: Option<u8>,
}

impl Props {
    fn of(props: &RpbBucketProps) -> Self {
        let quorum = |code: Option<u32>| code.map(Quorum::of);
        let small = |number: Option<u32>| number.map(|number| u8::try_from(number).unwrap_or(u8::MAX));
        Self {
            n_val: small(props.n_val),
            allow_mult: props.allow_mult,
            last_write_wins: props.last_write_wins,
            r: quorum(props.r),
            pr: quorum(props.pr),
            w: quorum(props.w),
            pw: quorum(props.pw),
            dw: quorum(props.dw),
            rw: quorum(props.rw),
            basic_quorum: props.basic_quorum,
            notfound_ok: props.notfound_ok,
            datatype: props.datatype.as_deref().map(|name| String::from_utf8_lossy(name).into_owned()),
            write_once: props.write_once,
            hll_precision: small(props.hll_precision),
        }
    }

    fn message(&self) -> RpbBucketProps {
        let code = |quorum: Option<Quorum>| quorum.map(Quorum::code);
        RpbBucketProps {
            n_val: self.n_val.map(u32::from),
            allow_mult: self.allow_mult,
            last_write_wins: self.last_write_wins,
            r: code(self.r),
            pr: code(self.pr),
            w: code(self.w),
            pw: code(self.pw),
            dw: code(self.dw),
            rw: code(self.rw),
            basic_quorum: self.basic_quorum,
            notfound_ok: self.notfound_ok,
            datatype: self.datatype.clone().map(Bytes::from),
            write_once: self.write_once,
            hll_precision: self.hll_precision.map(u32::from),
            ..RpbBucketProps::default()
        }
    }
}

impl Bucket {
    /// The bucket's properties.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn props(&self) -> Result<Props, Error> {
        let message = RpbGetBucketReq { bucket: self.name.clone(), bucket_type: self.bucket_type.clone() };
        let answer: RpbGetBucketResp = self.client.ask(&Call::new(&message, Repeat::Read, None)).await?;
        Ok(Props::of(&answer.props))
    }

    /// Sets properties of the bucket.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn set_props(&self, props: &Props) -> Result<(), Error> {
        let message = RpbSetBucketReq {
            bucket: self.name.clone(),
            props: props.message(),
            bucket_type: self.bucket_type.clone(),
        };
        self.client.tell(&Call::new(&message, Repeat::Anywhere, None), code::SET_BUCKET_RESP).await
    }

    /// Gives the bucket the properties of its type again.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn reset_props(&self) -> Result<(), Error> {
        let message = RpbResetBucketReq { bucket: self.name.clone(), bucket_type: self.bucket_type.clone() };
        self.client.tell(&Call::new(&message, Repeat::Anywhere, None), code::RESET_BUCKET_RESP).await
    }
}

impl BucketType {
    /// The properties that buckets of this type begin with.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn props(&self) -> Result<Props, Error> {
        let message = RpbGetBucketTypeReq { bucket_type: self.name.clone() };
        let answer: RpbGetBucketResp = self.client.ask(&Call::new(&message, Repeat::Read, None)).await?;
        Ok(Props::of(&answer.props))
    }

    /// Sets properties of the type. Types themselves are made by operators: `cartwheel admin bucket-type`.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn set_props(&self, props: &Props) -> Result<(), Error> {
        let message = RpbSetBucketTypeReq { bucket_type: self.name.clone(), props: props.message() };
        self.client.tell(&Call::new(&message, Repeat::Anywhere, None), code::SET_BUCKET_RESP).await
    }
}
