@NullMarked
package dev.weir.throttler.quota;

import org.jspecify.annotations.NullMarked;
