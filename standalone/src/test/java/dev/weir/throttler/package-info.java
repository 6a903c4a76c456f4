@NullMarked
package dev.weir.throttler;

import org.jspecify.annotations.NullMarked;
