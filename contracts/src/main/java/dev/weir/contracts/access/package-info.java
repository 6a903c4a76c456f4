/** Who calls, and what they may do: for every role's routes. */
@NullMarked
package dev.weir.contracts.access;

import org.jspecify.annotations.NullMarked;
