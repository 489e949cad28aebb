/* The handlers, for the route table. What each does: doc/http-api.md. */
#ifndef BROKER_HANDLERS_H
#define BROKER_HANDLERS_H

#include "call.h"

/* handle_health.c */
call_handler health_get, ready_get, metrics_get, broker_get;

/* handle_portal.c */
call_handler portal_index, portal_get, portal_own_page;

/* handle_signin.c */
call_handler nonce_post, signin_post, signout_post, whoami_get;

/* handle_signin_key.c */
call_handler signin_keys_list, signin_key_add, signin_key_remove;

/* handle_browser.c */
call_handler browser_begin, browser_look, browser_confirm, browser_poll;

/* handle_people.c */
call_handler people_list, person_get, person_add, person_change;

/* handle_tenant.c */
call_handler tenants_list, tenant_get, tenant_add, tenant_settings;

/* handle_trust.c */
call_handler trust_get, trust_add;

/* handle_proposal.c */
call_handler proposal_get, proposal_sign, proposal_withdraw;

/* handle_contact.c */
call_handler contacts_list, contact_set;

/* handle_invitation.c */
call_handler invitation_add, invitations_list, invitation_withdraw;

/* handle_accept.c */
call_handler invitation_accept;

/* handle_candidate.c */
call_handler candidates_list, candidate_remove;

/* handle_host.c */
call_handler hosts_list, host_get, host_invite, host_remove, host_enrol;

/* handle_ask.c */
call_handler ask_post, watch_post;

/* handle_report.c */
call_handler report_post;

/* handle_session.c */
call_handler sessions_list, session_get;

/* handle_request.c */
call_handler request_add, requests_list, request_get, request_draft,
    request_cancel;

/* handle_decision.c */
call_handler request_endorse, request_approve, request_deny, grant_revoke,
    hook_post;

/* handle_grant.c */
call_handler grants_list, grant_get, grant_bundle, grant_return, grant_stop,
    events_list;

/* handle_webhook.c */
call_handler webhooks_list, webhook_add, webhook_get, webhook_change,
    webhook_rotate, webhook_test, webhook_remove;

/* handle_delivery.c */
call_handler webhook_deliveries, deliveries_list, delivery_retry;

#endif
