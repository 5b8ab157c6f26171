//! The accounts and Regions that a process works in: each is opened once, and stays open while the process lives.

use super::Account;
use super::client;
use super::pace::Lanes;
use super::role::AssumedRole;
use super::settings::{self, SettingsError};
use crate::pace::Limits;
use crate::place::{self, Place};
use crate::policy::PolicyId;
use aws_config::{Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Our own account, and those that were opened for targets.
#[derive(Debug)]
pub struct Accounts {
    settings: SdkConfig,
    /// Why no call can be made at all.
    unusable: Option<SettingsError>,
    limits: Limits,
    own: Arc<Account>,
    opened: Mutex<Opened>,
}

#[derive(Debug, Default)]
struct Opened {
    /// By place and by the name of the session, which holds the policy's id.
    accounts: BTreeMap<(Place, String), Arc<Account>>,
    /// EC2's buckets are for each account in each Region, whoever asks: by the account's number and the Region.
    lanes: BTreeMap<(Option<String>, String), Arc<Lanes>>,
}

/// How many accounts a process holds open. A function instance serves one invocation at a time, of whatever policy; this is
/// a policy with as many targets as a list names and one with as many as an event, at some 50 KB each. Beyond it all are
/// opened anew, which costs an AssumeRole call and a TLS handshake each; what is known of the buckets travels in `Next` too.
pub(super) const OPENED_MAX: usize = place::PLACES_LISTED_MAX + place::PLACES_MAX;

impl Accounts {
    /// The account that the environment names, with its connections already open: for the init phase of the function,
    /// which has a full CPU. Never fails: what is wrong shows at the first real call, which can say so.
    pub async fn connect() -> Self {
        let settings = client::settings().await;
        let limits = Limits::of(std::env::var(Limits::VARIABLE).ok().as_deref());
        let accounts = Self::of(settings, limits);
        if accounts.unusable.is_none() {
            let _ = client::warm_up(&accounts.own.client).await;
        }
        accounts
    }

    /// The same for a person, who is told at once what is wrong with the Region, the endpoint or the credentials.
    ///
    /// # Errors
    /// When the first call cannot get through, and why.
    pub async fn connect_for_person() -> Result<Self, SettingsError> {
        let settings = client::settings().await;
        match settings::check(&settings) {
            Err(error @ SettingsError::NoRegion) => return Err(settings::of_profile_or(error).await),
            checked => checked?,
        }
        let limits = Limits::of(std::env::var(Limits::VARIABLE).ok().as_deref());
        let accounts = Self::of(settings, limits);
        if let Err(unreached) = client::warm_up(&accounts.own.client).await
            && let Some(error) = settings::of_unreached(&accounts.settings, &unreached).await
        {
            return Err(error);
        }
        Ok(accounts)
    }

    /// The account and Region that the environment names.
    #[must_use]
    pub fn own(&self) -> &Account {
        &self.own
    }

    /// Whether calls can be made at all.
    ///
    /// # Errors
    /// When there is no Region, or an endpoint that is no URL: the SDK would panic.
    pub fn check(&self) -> Result<(), SettingsError> {
        self.unusable.clone().map_or(Ok(()), Err)
    }

    /// The account of these settings.
    pub(super) fn of(settings: SdkConfig, limits: Limits) -> Self {
        let (client, lanes) = (client::of(&settings), Arc::new(Lanes::full(limits)));
        let own = Arc::new(Account::of(client, asked_by(&settings, limits), lanes, limits));
        let unusable = settings::check(&settings).err();
        Self { settings, unusable, limits, own, opened: Mutex::default() }
    }

    /// The account and Region of a run for `policy`; our own where the event names none. Nothing is asked of AWS before the
    /// first call, and whether a role opens shows then.
    pub async fn at(&self, target: Option<&Place>, policy: &PolicyId) -> Arc<Account> {
        let Some(target) = target.filter(|target| !self.is_own(target)) else { return Arc::clone(&self.own) };
        let session = place::session_name(policy);
        let key = (target.clone(), session);
        if let Some(account) = self.opened(|opened| opened.accounts.get(&key).cloned()) {
            return account;
        }
        let region = Region::new(target.region.as_str().to_owned());
        let mut settings = self.settings.to_builder().region(region);
        if let Some(role) = &target.role {
            let role = AssumedRole::new(role, &key.1, &self.settings).await;
            settings = settings.credentials_provider(SharedCredentialsProvider::new(role));
        }
        self.opened(|opened| opened.add(key, &settings.build(), self.limits))
    }

    /// Whether a place is where the function itself is.
    fn is_own(&self, place: &Place) -> bool {
        place.role.is_none() && self.settings.region().is_some_and(|region| region.as_ref() == place.region.as_str())
    }

    fn opened<T>(&self, use_them: impl FnOnce(&mut Opened) -> T) -> T {
        // Two maps of whole entries: whoever panicked while holding them left them so.
        use_them(&mut self.opened.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Opened {
    fn add(&mut self, key: (Place, String), settings: &SdkConfig, limits: Limits) -> Arc<Account> {
        if self.accounts.len() >= OPENED_MAX {
            *self = Self::default();
        }
        let place = (key.0.account().map(str::to_owned), key.0.region.to_string());
        let lanes = self.lanes.entry(place).or_insert_with(|| Arc::new(Lanes::full(limits)));
        let (client, quotas) = (client::of(settings), asked_by(settings, limits));
        let account = Arc::new(Account::of(client, quotas, Arc::clone(lanes), limits));
        self.accounts.insert(key, Arc::clone(&account));
        account
    }
}

/// How Service Quotas is asked about the limits of an endpoint; where there are none it is not.
fn asked_by(settings: &SdkConfig, limits: Limits) -> Option<SdkConfig> {
    match limits {
        Limits::Documented => Some(settings.clone()),
        Limits::None => None,
    }
}
