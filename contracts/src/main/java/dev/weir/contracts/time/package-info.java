/** Where the time comes from. */
@NullMarked
package dev.weir.contracts.time;

import org.jspecify.annotations.NullMarked;
