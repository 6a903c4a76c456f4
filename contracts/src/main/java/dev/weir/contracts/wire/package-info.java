/** The records on the wire: what stands, as UTF-8 JSON, in each topic. */
@NullMarked
package dev.weir.contracts.wire;

import org.jspecify.annotations.NullMarked;
