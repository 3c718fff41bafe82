//! SealService: the life of seals, use rules, approvals, the use log.

mod approvals;
mod registry;
mod rules;
mod status_list;
mod uses;
mod wire;

use std::future::Future;
use std::sync::Arc;

use tonic::{Request, Response, Status};
use yinxin_proto::v1;
use yinxin_proto::v1::seal_service_server::SealService;
use yinxin_signer::registry::{Person, Role};

use super::Rpc;
use crate::caller;
use crate::service::Service;
use crate::status::Refusal;

impl Rpc {
    /// One call, from the caller's certificate to the answer.
    async fn seals<Asked, Answer, Work, Working>(
        &self,
        request: Request<Asked>,
        work: Work,
    ) -> Result<Response<Answer>, Status>
    where
        Answer: Send + 'static,
        Work: FnOnce(Arc<Service>, String, Asked) -> Working,
        Working: Future<Output = Result<Answer, Refusal>> + Send + 'static,
    {
        let caller = caller::department(&request)?;
        let service = self.service();
        let working = work(Arc::clone(&service), caller, request.into_inner());
        Ok(Response::new(service.within_time(working).await?))
    }
}

impl Service {
    /// The caller as a person with any role.
    fn anybody(&self, caller: &str) -> Result<&Person, Refusal> {
        self.people.get(caller)
    }

    /// The caller as a person with this role.
    fn person(&self, caller: &str, role: Role) -> Result<&Person, Refusal> {
        let person = self.people.get(caller)?;
        person.must_be(role)?;
        Ok(person)
    }
}

/// The service's methods: those written out, and those that are each handed to the function that
/// does it.
macro_rules! seal_service {
    (
        { $($more:tt)* }
        $($method:ident($asked:ident) -> $answer:ident by $work:path;)*
    ) => {
        #[tonic::async_trait]
        impl SealService for Rpc {
            $(
                async fn $method(
                    &self,
                    request: Request<v1::$asked>,
                ) -> Result<Response<v1::$answer>, Status> {
                    self.seals(request, $work).await
                }
            )*
            $($more)*
        }
    };
}

seal_service! {
    {
        type ExportSealStatusStream = status_list::Chunks;

        async fn export_seal_status(
            &self,
            request: Request<v1::ExportSealStatusRequest>,
        ) -> Result<Response<Self::ExportSealStatusStream>, Status> {
            self.seals(request, status_list::export).await
        }
    }
    apply_seal(ApplySealRequest) -> Seal by registry::apply;
    renew_seal(RenewSealRequest) -> Seal by registry::renew;
    change_seal(ChangeSealRequest) -> Seal by registry::change;
    get_seal(GetSealRequest) -> Seal by registry::get;
    list_seals(ListSealsRequest) -> ListSealsResponse by registry::list;
    get_seal_status(GetSealStatusRequest) -> GetSealStatusResponse by registry::status;
    list_seal_revocations(ListSealRevocationsRequest) -> ListSealRevocationsResponse
        by registry::revoked;
    export_filings(ExportFilingsRequest) -> ExportFilingsResponse by registry::export;
    import_filings(ImportFilingsRequest) -> ImportFilingsResponse by registry::import;
    set_use_rule(SetUseRuleRequest) -> UseRule by rules::set;
    withdraw_use_rule(WithdrawUseRuleRequest) -> WithdrawUseRuleResponse by rules::withdraw;
    list_use_rules(ListUseRulesRequest) -> ListUseRulesResponse by rules::list;
    list_use_rule_history(ListUseRuleHistoryRequest) -> ListUseRuleHistoryResponse
        by rules::history;
    explain_use(ExplainUseRequest) -> ExplainUseResponse by rules::explain_use;
    request_approval(RequestApprovalRequest) -> Approval by approvals::request;
    sign_approval(SignApprovalRequest) -> Approval by approvals::sign;
    get_approval(GetApprovalRequest) -> Approval by approvals::get;
    list_uses(ListUsesRequest) -> ListUsesResponse by uses::list;
    count_uses(CountUsesRequest) -> CountUsesResponse by uses::count;
}
