//! Bucket types for operators.

use cartwheel_core::membership::{PlanError, Props, TypeError};
use cartwheel_riak::props;
use serde_json::json;

use super::admin::json;
use super::{Api, Response};
use crate::cluster::Refused;
use crate::server::{AskedOp, Question};
use crate::types::TypeRequest;

impl Api {
    pub(super) async fn types(&self) -> Result<Response, Refused> {
        json(&self.ask_question(Question::Types).await?)
    }

    pub(super) async fn create_type(&self, asked: Result<TypeRequest, Refused>) -> Result<Response, Refused> {
        let asked = asked?;
        let props = self.read_props(&asked)?;
        self.change_type(AskedOp::CreateType(asked.name.into_bytes(), props)).await
    }

    pub(super) async fn update_type(&self, asked: Result<TypeRequest, Refused>) -> Result<Response, Refused> {
        let asked = asked?;
        let props = self.read_props(&asked)?;
        self.change_type(AskedOp::SetTypeProps(asked.name.into_bytes(), props)).await
    }

    pub(super) async fn activate_type(
        &self,
        asked: Result<TypeRequest, Refused>,
    ) -> Result<Response, Refused> {
        let asked = asked?;
        if !asked.props.is_empty() {
            return Err(Refused::new("invalid", "props: a type is given them when it is created"));
        }
        self.change_type(AskedOp::ActivateType(asked.name.into_bytes())).await
    }

    fn read_props(&self, asked: &TypeRequest) -> Result<Props, Refused> {
        props::read(&asked.props, self.defaults.n)
            .map_err(|trouble| Refused::new("invalid_props", trouble.to_string()))
    }

    async fn change_type(&self, op: AskedOp) -> Result<Response, Refused> {
        self.change(op).await.map_err(in_riaks_words)?;
        json(&json!({}))
    }
}

/// Riak's console says why as Erlang terms; scripts know them.
fn in_riaks_words(refused: Refused) -> Refused {
    let Some(PlanError::Type(error)) = refused.why.as_deref() else { return refused };
    let (kind, message) = match error {
        TypeError::Default => ("default_type", error.to_string()),
        TypeError::Undefined => ("undefined", error.to_string()),
        TypeError::AlreadyActive => ("already_active", error.to_string()),
        TypeError::NotActive => ("not_active", error.to_string()),
        TypeError::Name { .. } | TypeError::TooMany { .. } => ("invalid", error.to_string()),
        TypeError::Props(error) => {
            let trouble = props::Trouble::of(error);
            ("invalid_props", trouble.map_or_else(|| error.to_string(), |trouble| trouble.to_string()))
        }
    };
    // Riak's word comes first.
    let message = if kind.starts_with("invalid") { message } else { format!("{kind}: {message}") };
    Refused { message, ..Refused::new(kind, "") }
}
