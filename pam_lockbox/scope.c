/* Which logins are none of lockbox's business: the rules of pam.conf. */
#include "scope.h"

#include <string.h>

static const char system_word[] = "@system";

/* The first word of value and the rest behind one run of blanks. */
static enum lb_err
rule_split(const char *value, struct scope_rule *ret)
{
	struct scope_rule rule = { 0 };
	size_t len = strcspn(value, " \t");
	const char *login = value + len + strspn(value + len, " \t");

	if (len > LB_SERVICE_MAX || value[len] == '\0')
		return LB_ERR_FORMAT;
	memcpy(rule.service, value, len);
	if (!lb_service_valid(rule.service))
		return LB_ERR_FORMAT;
	if (!lb_login_valid(login) && strcmp(login, system_word) != 0)
		return LB_ERR_FORMAT;
	if (lb_text_copy(rule.login, sizeof(rule.login), login) != LB_OK)
		return LB_ERR_FORMAT;
	*ret = rule;
	return LB_OK;
}

static enum lb_err
rule_add(void *conf, const char *value)
{
	struct scope *s = conf;
	struct scope_rule rule;
	enum lb_err r;

	if ((r = rule_split(value, &rule)) != LB_OK)
		return r;
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->rule[i].service, rule.service) == 0 &&
		    strcmp(s->rule[i].login, rule.login) == 0)
			return LB_ERR_FORMAT; /* nothing stands twice */
	if (s->count == SCOPE_RULES_MAX)
		return LB_ERR_RANGE;
	s->rule[s->count++] = rule;
	return LB_OK;
}

static const struct lb_conf_option scope_table[] = {
	{ .name = "exempt", .kind = LB_CONF_CALL, .call = rule_add },
	{ 0 },
};

enum lb_err
scope_parse(const char *text, size_t text_len, struct scope *ret,
    struct lb_conf_error *ret_error)
{
	struct scope s = { 0 };
	enum lb_err r;

	r = lb_conf_parse(scope_table, text, text_len, &s, ret_error);
	if (r == LB_OK)
		*ret = s;
	return r;
}

enum lb_err
scope_load(const char *path, struct scope *ret, struct lb_conf_error *ret_error)
{
	struct scope s = { 0 };
	enum lb_err r;

	r = lb_conf_load(scope_table, path, 0, &s, ret_error);
	if (r == LB_OK)
		*ret = s;
	return r;
}

bool
scope_names(const struct scope *s, const char *service)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->rule[i].service, service) == 0)
			return true;
	return false;
}

static bool
rule_matches(const struct scope_rule *rule, const char *service,
    const char *login, int64_t uid)
{
	if (strcmp(rule->service, service) != 0)
		return false;
	if (strcmp(rule->login, system_word) == 0)
		return uid >= 0 && uid < SCOPE_SYSTEM_MAX;
	return strcmp(rule->login, login) == 0;
}

bool
scope_exempts(
    const struct scope *s, const char *service, const char *login, int64_t uid)
{
	if (login[0] == '\0')
		return false;
	for (size_t i = 0; i < s->count; i++)
		if (rule_matches(&s->rule[i], service, login, uid))
			return true;
	return false;
}
