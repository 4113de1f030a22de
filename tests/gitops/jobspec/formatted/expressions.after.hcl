locals {
  sum    = 1 + 2 * -3 - 4
  sign   = foo(-1, -2, !true, x[0], x.y, [1]...)
  choice = var.a > 1 ? "b" : "c"
  list   = [for a in [1, 2] : a if a > -1]
  map    = { for k, v in local.m : k => v... }
  object = { a = 1, b = 2, }
  empty  = {}
  splat  = a.b.*.c
  text   = "${upper("a${b}")}%{if true}x%{else}y%{endif~}$${ z }"
  braces = "${ { a = 1 } }"
  names  = "$ {x} %% { $$${  y }"
  deep = [
    [1,
      2], {
      a = 1
    },
  ]
  call = merge({ a = 1 }, {
    b = 2
  })
}
