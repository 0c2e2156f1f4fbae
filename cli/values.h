/*
 * values: what the settings' values mean, a function for each kind.
 * Called by settings.c, by the rows of its table.
 * Pure: nothing is opened or looked up, and no value is changed for
 * another's sake.
 * Ownership: texts are borrowed, as in setting.h.
 */
#ifndef CLI_VALUES_H
#define CLI_VALUES_H

#include <stdbool.h>

#include "cli/setting.h"

/* Check the text of a setting and say what it means: NULL, or the remedy. */
typedef const char *values_parser(const struct setting_row *, struct setting *);

values_parser values_text;
values_parser values_name;
values_parser values_flag;
values_parser values_port;
values_parser values_fd;
values_parser values_protocol;
values_parser values_ip;
values_parser values_proxy;
values_parser values_host;
values_parser values_domain;
values_parser values_maildomain;
values_parser values_timeout;
values_parser values_tls;
values_parser values_trust;
values_parser values_fingerprint;
values_parser values_pem;
values_parser values_tls_min;
values_parser values_priorities;
values_parser values_host_name;
values_parser values_auth;
values_parser values_header;
values_parser values_names;
values_parser values_canonicalization;
values_parser values_notify;
values_parser values_return;
values_parser values_envid;
values_parser values_orcpt;
values_parser values_by;
values_parser values_hold_for;
values_parser values_hold_until;
values_parser values_priority;
values_parser values_queue;
values_parser values_xclient;
values_parser values_time_format;
values_parser values_syslog;
values_parser values_span;
values_parser values_try_time;
values_parser values_notice;
values_parser values_connections;
values_parser values_local;
values_parser values_later;

/* True if EHLO may say it: a host name or an address literal. */
bool values_is_domain(const char *);

#endif
