/** {@code weir demo}: the whole of Weir against a fake API that measures it, with a verdict at the end. */
@NullMarked
package dev.weir.standalone.demo;

import org.jspecify.annotations.NullMarked;
