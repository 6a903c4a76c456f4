/** How every role reaches PostgreSQL. */
@NullMarked
package dev.weir.contracts.db;

import org.jspecify.annotations.NullMarked;
