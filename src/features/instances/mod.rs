//! Instances at a cloud provider: the list that is kept of them, what they cost, and stopping them (`docs/instances.md`). What the provider
//! is asked for, jobs of the edge ask.
pub mod access;
mod body;
mod handlers;
mod row;
mod store;
mod vultr;
pub mod work;

use crate::auth::rule::{Routes, routes};

use handlers::{costs, list, provider, refresh, stop};

pub use handlers::stop::known;

/// The routes of this feature.
pub fn routes() -> Routes {
    let costs = routes![
        tag = "costs";
        costs::read_costs => Needs(CostsView),
        costs::read_costs_by_tag => Needs(CostsView),
        costs::read_costs_by_region => Needs(CostsView),
        costs::refresh_costs => Needs(CostsRefresh),
    ];
    // The provider's key is a setting of the organization, and opens all that it has there.
    let instances = routes![
        tag = "instances";
        list::list_instances => Needs(InstancesView),
        refresh::refresh_instances => Needs(InstancesRefresh),
        refresh::refresh_instances_by_get => Needs(InstancesRefresh).acts(),
        stop::stop_instance => Needs(InstancesStop),
        stop::stop_named_instance => Needs(InstancesStop),
        stop::stop_service => Needs(ServicesStop),
        stop::stop_all => Needs(SystemStopAll),
        provider::read_provider => Needs(SystemSettingsView),
        provider::set_provider => Needs(SystemSettingsEdit),
        provider::remove_provider => Needs(SystemSettingsEdit),
    ];
    instances.merge(costs)
}
