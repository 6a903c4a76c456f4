/** Takes permits, waits for the slot, calls, reports the outcome. */
@NullMarked
package dev.weir.dispatcher;

import org.jspecify.annotations.NullMarked;
