/** Everything in one process, on an embedded broker and an embedded PostgreSQL. */
@NullMarked
package dev.weir.standalone;

import org.jspecify.annotations.NullMarked;
