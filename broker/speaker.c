/* Which enrolled host signed a document. */
#include "speaker.h"

#include <string.h>

enum lb_err
speaker_find(struct app *app, const struct lb_part *part, enum lb_ns ns,
    struct reply *reply, struct speaker *ret)
{
	struct speaker s = { 0 };
	struct lb_sshsig sig;
	enum lb_err r;

	if (part->sig_count != 1 ||
	    lb_sshsig_parse(part->sigs[0].text, part->sigs[0].len, &sig) !=
		LB_OK)
		return reply_refuse(reply, "bad_signature", "%s", "");
	r = hosts_find(app->hosts, app->store, sig.key.fp, s.tenant, s.host);
	if (r == LB_ERR_MISSING)
		return reply_refuse(reply, "host_unknown", "%s", "");
	if (r != LB_OK)
		return r;
	if (lb_sshsig_verify(&sig, ns, part->doc.text, part->doc.len) != LB_OK)
		return reply_refuse(reply, "bad_signature", "%s", "");
	memcpy(s.key_fp, sig.key.fp, sizeof(s.key_fp));
	*ret = s;
	return LB_OK;
}
