//! Commands on charges and invoices.

use aide::axum::ApiRouter;
use domain::{
    Charge, Invoice, InvoiceCommand,
    charge::{CancelCharge, CaptureCharge},
    invoice::{IssueCreditNote, IssueInvoice, IssueRefund, RecordPayment},
};
use service_kit::{Authenticated, Capability, Limit};

use super::{
    collection::{Collection, creates},
    needs::Needs,
};
use crate::{app::App, execute::Reached};

const CHARGE: Needs<Charge> = Needs::all(Capability::Billing);
/// Invoices, and what takes money back: administrators and billing alone.
const INVOICE: Needs<Invoice> = Needs::all(Capability::Billing);
/// The desk takes payments.
const PAYMENT: Needs<Invoice> = Needs::within(Capability::Billing, &[(Limit::Payment, is_payment)]);

pub fn routes() -> ApiRouter<App> {
    let charges =
        Collection::of_clinic("/charges").create::<CaptureCharge>(CHARGE).action::<CancelCharge>("cancel", CHARGE);
    let invoices = Collection::of_clinic("/invoices")
        .create::<IssueInvoice>(INVOICE)
        .action::<RecordPayment>("payments", PAYMENT)
        .action::<IssueCreditNote>("credit-notes", INVOICE)
        .action::<IssueRefund>("refunds", INVOICE);
    charges.router().merge(invoices.router())
}

fn is_payment(_: &Authenticated, reached: &Reached<'_, Invoice>) -> bool {
    match reached.command {
        InvoiceCommand::RecordPayment(_) => true,
        InvoiceCommand::Issue(_) | InvoiceCommand::IssueCreditNote(_) | InvoiceCommand::IssueRefund(_) => false,
    }
}

creates!(Charge: CaptureCharge);
creates!(Invoice: IssueInvoice);
