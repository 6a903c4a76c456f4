package dev.weir.ingress;

import io.javalin.http.Context;

/** Tells who a request comes from. The one place where authentication goes. */
interface Callers {
    /** Without clients in the configuration, everyone is the tenant {@code local}. */
    Callers LOCAL = ctx -> new Caller("local");

    Caller identify(Context ctx);
}
