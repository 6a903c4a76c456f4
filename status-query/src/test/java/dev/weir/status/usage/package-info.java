@NullMarked
package dev.weir.status.usage;

import org.jspecify.annotations.NullMarked;
