@NullMarked
package dev.weir.throttler.lanes;

import org.jspecify.annotations.NullMarked;
