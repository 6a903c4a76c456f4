@NullMarked
package dev.weir.status;

import org.jspecify.annotations.NullMarked;
