/** The throttle: pure decisions, and one thin processor around them. */
@NullMarked
package dev.weir.throttler;

import org.jspecify.annotations.NullMarked;
