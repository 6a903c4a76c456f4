package dev.weir.dispatcher;

import dev.weir.contracts.wire.Permit;

/**
 * A permit whose offset is committed: nobody else will ever get it, so this process alone may use it or hand it back.
 *
 * @param bytes of its record: what it holds in memory, roughly
 */
record Held(Permit permit, int bytes) {}
