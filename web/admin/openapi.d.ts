/** The hub's OpenAPI document, as a type. Made by LATCHKEY_WRITE_OPENAPI=1 npm test -- test/server/control/openapi-document.test.ts */
export type HubDocument = {
 "openapi": "3.1.0",
 "info": {
  "title": "Latchkey hub",
  "version": "1",
  "description": "Bytes are base64url without padding."
 },
 "components": {
  "schemas": {
   "Service": {
    "type": "object",
    "properties": {
     "name": {
      "type": "string"
     },
     "title": {
      "type": "string"
     },
     "url": {
      "type": "string"
     },
     "address": {
      "type": "string"
     },
     "port": {
      "type": "number"
     },
     "wireguardKey": {
      "type": "string"
     },
     "demo": {
      "type": "boolean"
     },
     "host": {
      "type": "string",
      "enum": [
       "public",
       "upstream"
      ]
     },
     "corsFrom": {
      "type": "array",
      "items": {
       "type": "string"
      }
     },
     "namespace": {
      "type": "string"
     },
     "labels": {
      "type": "array",
      "items": {
       "type": "string"
      }
     },
     "farId": {
      "type": "string"
     },
     "suspended": {
      "type": "boolean"
     }
    },
    "required": [
     "name",
     "title",
     "url",
     "address",
     "port",
     "wireguardKey",
     "demo",
     "host",
     "corsFrom",
     "namespace",
     "labels",
     "farId",
     "suspended"
    ]
   },
   "Error": {
    "type": "object",
    "properties": {
     "error": {
      "type": "string"
     },
     "message": {
      "type": "string"
     },
     "correlation": {
      "type": "string"
     }
    },
    "required": [
     "error",
     "message",
     "correlation"
    ],
    "description": "a stable code, one sentence, and an id to find it in the log"
   },
   "Peer": {
    "type": "object",
    "properties": {
     "publicKey": {
      "type": "string"
     },
     "name": {
      "type": "string"
     },
     "allowedIps": {
      "type": "array",
      "items": {
       "type": "string"
      }
     },
     "endpoint": {
      "type": "string"
     },
     "keepaliveS": {
      "type": "number"
     },
     "presharedKey": {
      "type": "boolean"
     },
     "connector": {
      "type": "boolean"
     },
     "protection": {
      "type": "string",
      "enum": [
       "exchanged",
       "preshared",
       "classical"
      ]
     }
    },
    "required": [
     "publicKey",
     "name",
     "allowedIps",
     "presharedKey",
     "connector",
     "protection"
    ]
   },
   "Connector": {
    "type": "object",
    "properties": {
     "id": {
      "type": "string"
     },
     "name": {
      "type": "string"
     },
     "address": {
      "type": "string"
     },
     "wireguardKey": {
      "type": "string"
     },
     "joinedAt": {
      "type": "number"
     },
     "connected": {
      "type": "boolean"
     },
     "evidence": {
      "type": "string",
      "enum": [
       "weak",
       "strong"
      ]
     },
     "machine": {
      "type": "string"
     },
     "workloads": {
      "type": "object",
      "additionalProperties": {
       "type": "array",
       "items": {
        "type": "string"
       }
      }
     }
    },
    "required": [
     "id",
     "name",
     "address",
     "wireguardKey",
     "joinedAt",
     "connected",
     "evidence",
     "workloads"
    ]
   },
   "Change": {
    "type": "object",
    "properties": {
     "id": {
      "type": "string"
     },
     "kind": {
      "type": "string",
      "enum": [
       "policy.replace",
       "root.rotate",
       "retention.set"
      ]
     },
     "state": {
      "type": "string",
      "enum": [
       "waiting",
       "done",
       "refused",
       "outdated",
       "expired"
      ]
     },
     "dangers": {
      "type": "array",
      "items": {
       "type": "object",
       "properties": {
        "code": {
         "type": "string",
         "enum": [
          "allow_all",
          "new_root",
          "retention"
         ]
        },
        "message": {
         "type": "string"
        },
        "policies": {
         "type": "array",
         "items": {
          "type": "string"
         }
        }
       },
       "required": [
        "code",
        "message",
        "policies"
       ]
      }
     },
     "document": {
      "type": "string"
     },
     "requestedBy": {
      "type": "string"
     },
     "requestedAt": {
      "type": "number"
     },
     "expires": {
      "type": "number"
     },
     "needed": {
      "type": "number"
     },
     "approvals": {
      "type": "array",
      "items": {
       "type": "object",
       "properties": {
        "user": {
         "type": "string"
        },
        "name": {
         "type": "string"
        },
        "at": {
         "type": "number"
        }
       },
       "required": [
        "user",
        "name",
        "at"
       ]
      }
     }
    },
    "required": [
     "id",
     "kind",
     "state",
     "dangers",
     "document",
     "requestedBy",
     "requestedAt",
     "expires",
     "needed",
     "approvals"
    ],
    "description": "waits for two administrators; the document is what each of them signs"
   },
   "CheckedPolicies": {
    "type": "object",
    "properties": {
     "policies": {
      "type": "array",
      "items": {
       "type": "object",
       "properties": {
        "id": {
         "type": "string"
        },
        "effect": {
         "type": "string",
         "enum": [
          "permit",
          "forbid"
         ]
        },
        "text": {
         "type": "string"
        }
       },
       "required": [
        "id",
        "effect",
        "text"
       ]
      }
     },
     "faults": {
      "type": "array",
      "items": {
       "type": "object",
       "properties": {
        "message": {
         "type": "string"
        },
        "policy": {
         "type": "string"
        },
        "line": {
         "type": "number"
        },
        "column": {
         "type": "number"
        },
        "code": {
         "type": "string"
        }
       },
       "required": [
        "message",
        "code"
       ]
      }
     },
     "warnings": {
      "type": "array",
      "items": {
       "type": "object",
       "properties": {
        "message": {
         "type": "string"
        },
        "policy": {
         "type": "string"
        },
        "line": {
         "type": "number"
        },
        "column": {
         "type": "number"
        }
       },
       "required": [
        "message"
       ]
      }
     },
     "difference": {
      "type": "object",
      "properties": {
       "added": {
        "type": "array",
        "items": {
         "type": "string"
        }
       },
       "removed": {
        "type": "array",
        "items": {
         "type": "string"
        }
       },
       "changed": {
        "type": "array",
        "items": {
         "type": "string"
        }
       }
      },
      "required": [
       "added",
       "removed",
       "changed"
      ]
     },
     "dangers": {
      "type": "array",
      "items": {
       "type": "object",
       "properties": {
        "code": {
         "type": "string",
         "enum": [
          "allow_all",
          "new_root",
          "retention"
         ]
        },
        "message": {
         "type": "string"
        },
        "policies": {
         "type": "array",
         "items": {
          "type": "string"
         }
        }
       },
       "required": [
        "code",
        "message",
        "policies"
       ]
      }
     }
    },
    "required": [
     "policies",
     "faults",
     "warnings",
     "difference",
     "dangers"
    ],
    "description": "lines and columns from 1; without faults it can be put in force"
   },
   "Simulation": {
    "type": "object",
    "properties": {
     "replayed": {
      "type": "number"
     },
     "changed": {
      "type": "number"
     },
     "decidedByOthers": {
      "type": "number"
     },
     "driftedSince": {
      "type": "number"
     },
     "skipped": {
      "type": "object",
      "properties": {
       "not_recorded": {
        "type": "number"
       },
       "not_by_policy": {
        "type": "number"
       },
       "principal_gone": {
        "type": "number"
       },
       "service_gone": {
        "type": "number"
       }
      },
      "required": [
       "not_recorded",
       "not_by_policy",
       "principal_gone",
       "service_gone"
      ]
     },
     "from": {
      "type": [
       "number",
       "null"
      ]
     },
     "to": {
      "type": [
       "number",
       "null"
      ]
     },
     "complete": {
      "type": "boolean"
     },
     "truncated": {
      "type": "boolean"
     },
     "changes": {
      "type": "array",
      "items": {
       "type": "object",
       "properties": {
        "actor": {
         "type": "string"
        },
        "name": {
         "type": "string"
        },
        "service": {
         "type": "string"
        },
        "action": {
         "type": "string",
         "enum": [
          "launch",
          "open",
          "request"
         ]
        },
        "method": {
         "type": "string"
        },
        "path": {
         "type": "string"
        },
        "before": {
         "type": "object",
         "properties": {
          "decision": {
           "type": "string",
           "enum": [
            "allow",
            "deny",
            "stepUp"
           ]
          },
          "policies": {
           "type": "array",
           "items": {
            "type": "string"
           }
          }
         },
         "required": [
          "decision",
          "policies"
         ]
        },
        "after": {
         "type": "object",
         "properties": {
          "decision": {
           "type": "string",
           "enum": [
            "allow",
            "deny",
            "stepUp"
           ]
          },
          "policies": {
           "type": "array",
           "items": {
            "type": "string"
           }
          }
         },
         "required": [
          "decision",
          "policies"
         ]
        },
        "count": {
         "type": "number"
        },
        "first": {
         "type": "number"
        },
        "last": {
         "type": "number"
        },
        "events": {
         "type": "array",
         "items": {
          "type": "number"
         }
        }
       },
       "required": [
        "actor",
        "name",
        "service",
        "action",
        "before",
        "after",
        "count",
        "first",
        "last",
        "events"
       ]
      }
     }
    },
    "required": [
     "replayed",
     "changed",
     "decidedByOthers",
     "driftedSince",
     "skipped",
     "from",
     "to",
     "complete",
     "truncated",
     "changes"
    ],
    "description": "recorded decisions asked again of the policies in force and of a draft"
   },
   "Device": {
    "type": "object",
    "properties": {
     "id": {
      "type": "string"
     },
     "user": {
      "type": "string"
     },
     "userName": {
      "type": "string"
     },
     "name": {
      "type": "string"
     },
     "state": {
      "type": "string",
      "enum": [
       "waiting",
       "approved",
       "revoked"
      ]
     },
     "archived": {
      "type": "boolean"
     },
     "createdAt": {
      "type": "number"
     },
     "lastSignIn": {
      "type": "number"
     },
     "aaguid": {
      "type": "string"
     },
     "backupEligible": {
      "type": "boolean"
     },
     "attestation": {
      "type": "string"
     },
     "attested": {
      "type": "boolean"
     },
     "revokedAt": {
      "type": "number"
     },
     "reason": {
      "type": "string"
     }
    },
    "required": [
     "id",
     "user",
     "userName",
     "name",
     "state",
     "archived",
     "createdAt"
    ]
   },
   "Session": {
    "type": "object",
    "properties": {
     "id": {
      "type": "string"
     },
     "actor": {
      "type": "string"
     },
     "name": {
      "type": "string"
     },
     "service": {
      "type": "string"
     },
     "since": {
      "type": "number"
     },
     "endsAt": {
      "type": "number"
     },
     "credentialEnds": {
      "type": "number"
     },
     "traffic": {
      "type": "object",
      "properties": {
       "address": {
        "type": "string"
       },
       "transport": {
        "type": "string"
       },
       "streams": {
        "type": "number"
       },
       "bytesIn": {
        "type": "number"
       },
       "bytesOut": {
        "type": "number"
       }
      },
      "required": [
       "address",
       "transport",
       "streams",
       "bytesIn",
       "bytesOut"
      ],
      "description": "as the gateway counts it; missing while no tunnel stands"
     }
    },
    "required": [
     "id",
     "actor",
     "name",
     "service",
     "since",
     "endsAt",
     "credentialEnds"
    ]
   },
   "Receipt": {
    "type": "object",
    "properties": {
     "id": {
      "type": "string"
     },
     "session": {
      "type": "string"
     },
     "actor": {
      "type": "string"
     },
     "service": {
      "type": "string"
     },
     "streams": {
      "type": "number"
     },
     "createdAt": {
      "type": "number"
     }
    },
    "required": [
     "id",
     "session",
     "actor",
     "service",
     "streams",
     "createdAt"
    ]
   },
   "Link": {
    "type": "object",
    "properties": {
     "id": {
      "type": "string"
     },
     "services": {
      "type": "array",
      "items": {
       "type": "string"
      }
     },
     "expiresAt": {
      "type": "number"
     },
     "maxUses": {
      "type": "number"
     },
     "used": {
      "type": "number"
     },
     "state": {
      "type": "string",
      "enum": [
       "live",
       "used",
       "expired",
       "revoked"
      ]
     },
     "kiosk": {
      "type": "boolean"
     },
     "readOnly": {
      "type": "boolean"
     },
     "approval": {
      "type": "boolean"
     },
     "hours": {
      "type": "array",
      "items": {
       "type": "string"
      }
     },
     "zone": {
      "type": "string"
     },
     "recipient": {
      "type": "string"
     },
     "createdAt": {
      "type": "number"
     },
     "revokedAt": {
      "type": "number"
     },
     "reason": {
      "type": "string"
     }
    },
    "required": [
     "id",
     "services",
     "expiresAt",
     "maxUses",
     "used",
     "state",
     "kiosk",
     "readOnly",
     "approval",
     "hours",
     "zone",
     "createdAt"
    ]
   },
   "Knock": {
    "type": "object",
    "properties": {
     "id": {
      "type": "string"
     },
     "link": {
      "type": "string"
     },
     "code": {
      "type": "string"
     },
     "name": {
      "type": "string"
     },
     "address": {
      "type": "string"
     },
     "at": {
      "type": "number"
     }
    },
    "required": [
     "id",
     "link",
     "code",
     "name",
     "address",
     "at"
    ]
   },
   "TrustState": {
    "type": "object",
    "properties": {
     "roots": {
      "type": "array",
      "items": {
       "type": "object",
       "properties": {
        "fingerprint": {
         "type": "string"
        },
        "inForce": {
         "type": "boolean"
        }
       },
       "required": [
        "fingerprint",
        "inForce"
       ]
      }
     },
     "nextRoot": {
      "type": "string"
     },
     "keys": {
      "type": "array",
      "items": {
       "type": "object",
       "properties": {
        "role": {
         "type": "string",
         "enum": [
          "root",
          "directory",
          "svid",
          "policy",
          "notary",
          "audit",
          "revocation"
         ]
        },
        "id": {
         "type": "string"
        },
        "notBefore": {
         "type": "number"
        },
        "notAfter": {
         "type": "number"
        },
        "signs": {
         "type": "boolean"
        }
       },
       "required": [
        "role",
        "id",
        "notBefore",
        "notAfter",
        "signs"
       ]
      }
     },
     "authority": {
      "type": "object",
      "properties": {
       "fingerprint": {
        "type": "string"
       },
       "notAfter": {
        "type": "number"
       }
      },
      "required": [
       "fingerprint",
       "notAfter"
      ]
     },
     "tokenKeys": {
      "type": "array",
      "items": {
       "type": "string"
      }
     },
     "rotation": {
      "type": "object",
      "properties": {
       "requestedAt": {
        "type": "number"
       },
       "approvals": {
        "type": "number"
       },
       "needed": {
        "type": "number"
       }
      },
      "required": [
       "requestedAt",
       "approvals",
       "needed"
      ]
     }
    },
    "required": [
     "roots",
     "nextRoot",
     "keys",
     "authority",
     "tokenKeys"
    ]
   },
   "AuditEvent": {
    "type": "object",
    "properties": {
     "id": {
      "type": "string"
     },
     "time": {
      "type": "integer",
      "minimum": 0
     },
     "type": {
      "type": "string",
      "enum": [
       "enrol",
       "login",
       "logout",
       "posture",
       "launch",
       "renew",
       "stepup",
       "session.open",
       "session.close",
       "session.reauth",
       "session.refused",
       "stream.open",
       "stream.close",
       "stream.cut",
       "http.request",
       "websocket.open",
       "link.change",
       "link.knock",
       "link.redeem",
       "admin",
       "policy.change",
       "service.change",
       "peer.change",
       "gateway.join",
       "gateway.leave",
       "gateway.alarm",
       "gateway.stale",
       "gateway.restart",
       "connector.join",
       "connector.leave",
       "svid.issue",
       "bypass",
       "control.start",
       "control.stop"
      ]
     },
     "actor": {
      "type": "string"
     },
     "subject": {
      "type": "string"
     },
     "service": {
      "type": "string"
     },
     "decision": {
      "type": "string",
      "enum": [
       "allow",
       "deny"
      ]
     },
     "policies": {
      "type": "array",
      "items": {
       "type": "string"
      },
      "maxItems": 64
     },
     "reason": {
      "type": "string"
     },
     "correlation": {
      "type": "string"
     },
     "detail": {
      "type": "object",
      "additionalProperties": {
       "anyOf": [
        {
         "type": "string"
        },
        {
         "type": "number"
        },
        {
         "type": "boolean"
        }
       ]
      }
     },
     "seq": {
      "type": "number"
     }
    },
    "required": [
     "id",
     "time",
     "type",
     "actor",
     "seq"
    ],
    "additionalProperties": false
   },
   "AuditState": {
    "type": "object",
    "properties": {
     "first": {
      "type": "number"
     },
     "last": {
      "type": "number"
     },
     "anchors": {
      "type": "number"
     },
     "anchor": {
      "type": "object",
      "properties": {
       "position": {
        "type": "number"
       },
       "at": {
        "type": "number"
       }
      },
      "required": [
       "position",
       "at"
      ]
     },
     "days": {
      "type": "number",
      "description": "how long events are kept; missing for ever"
     },
     "retentionFault": {
      "type": "string"
     },
     "check": {
      "type": "object",
      "properties": {
       "state": {
        "type": "string",
        "enum": [
         "running",
         "whole",
         "broken"
        ]
       },
       "at": {
        "type": "number"
       },
       "whole": {
        "type": "object",
        "properties": {
         "last": {
          "type": "number"
         },
         "anchors": {
          "type": "number"
         },
         "fingerprint": {
          "type": "string"
         }
        },
        "required": [
         "last",
         "anchors",
         "fingerprint"
        ]
       },
       "broken": {
        "type": "object",
        "properties": {
         "fault": {
          "type": "string"
         },
         "message": {
          "type": "string"
         }
        },
        "required": [
         "fault",
         "message"
        ]
       }
      },
      "required": [
       "state",
       "at"
      ]
     }
    },
    "required": [
     "first",
     "last",
     "anchors"
    ]
   },
   "Svids": {
    "type": "object",
    "properties": {
     "spiffeId": {
      "type": "string"
     },
     "x509Svid": {
      "type": "string"
     },
     "x509Expires": {
      "type": "number"
     },
     "witSvid": {
      "type": "string"
     },
     "witExpires": {
      "type": "number"
     }
    },
    "required": [
     "spiffeId",
     "x509Svid",
     "x509Expires",
     "witSvid",
     "witExpires"
    ],
    "description": "an X.509-SVID (PEM) and a WIT-SVID over one key; both take a proof of that key"
   },
   "Federation": {
    "type": "object",
    "properties": {
     "trustDomain": {
      "type": "string"
     },
     "namespaces": {
      "type": "array",
      "items": {
       "type": "string"
      }
     },
     "expires": {
      "type": "number"
     },
     "expired": {
      "type": "boolean"
     },
     "authorities": {
      "type": "number"
     },
     "sequence": {
      "type": "number"
     },
     "createdBy": {
      "type": "string"
     }
    },
    "required": [
     "trustDomain",
     "namespaces",
     "expires",
     "expired",
     "authorities",
     "createdBy"
    ],
    "description": "another trust domain, believed in these namespaces until it expires"
   }
  },
  "parameters": {}
 },
 "paths": {
  "/api/admin/services": {
   "get": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 128
      },
      "required": false,
      "name": "search",
      "in": "query"
     },
     {
      "schema": {
       "type": [
        "integer",
        "null"
       ],
       "minimum": 0
      },
      "required": false,
      "name": "offset",
      "in": "query"
     },
     {
      "schema": {
       "type": "integer",
       "minimum": 1,
       "maximum": 500
      },
      "required": false,
      "name": "limit",
      "in": "query"
     }
    ],
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "services": {
           "type": "array",
           "items": {
            "$ref": "#/components/schemas/Service"
           }
          },
          "total": {
           "type": "number"
          }
         },
         "required": [
          "services",
          "total"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "name": {
          "type": "string",
          "maxLength": 4096
         },
         "url": {
          "type": "string",
          "maxLength": 4096
         },
         "title": {
          "type": "string",
          "maxLength": 4096
         },
         "host": {
          "type": "string",
          "enum": [
           "public",
           "upstream"
          ]
         },
         "corsFrom": {
          "type": "array",
          "items": {
           "type": "string",
           "maxLength": 4096
          },
          "maxItems": 64
         },
         "namespace": {
          "type": "string",
          "maxLength": 4096
         },
         "labels": {
          "type": "array",
          "items": {
           "type": "string",
           "maxLength": 4096
          },
          "maxItems": 256
         },
         "farId": {
          "type": "string",
          "maxLength": 4096
         }
        },
        "required": [
         "name",
         "url"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Service"
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/services/{name}": {
   "patch": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "title": {
          "type": "string",
          "maxLength": 4096
         },
         "host": {
          "type": "string",
          "enum": [
           "public",
           "upstream"
          ]
         },
         "corsFrom": {
          "type": "array",
          "items": {
           "type": "string",
           "maxLength": 4096
          },
          "maxItems": 64
         },
         "namespace": {
          "type": "string",
          "maxLength": 4096
         },
         "labels": {
          "type": "array",
          "items": {
           "type": "string",
           "maxLength": 4096
          },
          "maxItems": 256
         },
         "farId": {
          "type": "string",
          "maxLength": 4096
         }
        },
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Service"
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "delete": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     }
    ],
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {}
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/services/{name}/probe": {
   "post": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     }
    ],
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "service": {
           "type": "string",
           "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
          },
          "visited": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "target": {
              "type": "string"
             },
             "status": {
              "type": "integer"
             },
             "type": {
              "type": "string"
             },
             "bytes": {
              "type": "integer"
             }
            },
            "required": [
             "target",
             "status",
             "type",
             "bytes"
            ],
            "additionalProperties": false
           }
          },
          "findings": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "trait": {
              "type": "string",
              "enum": [
               "csp",
               "cross-origin-isolation",
               "frame-refusal",
               "frame-busting",
               "websocket",
               "server-sent-events",
               "service-worker",
               "worker",
               "synchronous-xhr",
               "absolute-urls",
               "other-origins",
               "host-check",
               "http-authentication",
               "redirect-elsewhere",
               "cookies",
               "cookies-refused",
               "hsts",
               "stripped-headers"
              ]
             },
             "evidence": {
              "type": "array",
              "items": {
               "type": "object",
               "properties": {
                "where": {
                 "type": "string"
                },
                "what": {
                 "type": "string"
                }
               },
               "required": [
                "where",
                "what"
               ],
               "additionalProperties": false
              },
              "minItems": 1,
              "maxItems": 8
             },
             "effect": {
              "type": "string",
              "maxLength": 400
             }
            },
            "required": [
             "trait",
             "evidence",
             "effect"
            ],
            "additionalProperties": false
           }
          },
          "settings": {
           "type": "object",
           "properties": {
            "host": {
             "type": "string",
             "enum": [
              "public",
              "upstream"
             ]
            }
           },
           "additionalProperties": false
          },
          "stopped": {
           "type": "string",
           "enum": [
            "pages",
            "bytes",
            "time"
           ]
          }
         },
         "required": [
          "service",
          "visited",
          "findings",
          "settings"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/peers": {
   "get": {
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "peers": {
           "type": "array",
           "items": {
            "$ref": "#/components/schemas/Peer"
           }
          }
         },
         "required": [
          "peers"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "publicKey": {
          "type": "string",
          "maxLength": 4096
         },
         "allowedIps": {
          "type": "array",
          "items": {
           "type": "string",
           "maxLength": 4096
          },
          "maxItems": 256
         },
         "endpoint": {
          "type": "string",
          "maxLength": 4096
         },
         "presharedKey": {
          "type": "string",
          "maxLength": 4096
         },
         "keepaliveS": {
          "type": "integer",
          "minimum": 0,
          "maximum": 65535
         },
         "name": {
          "type": "string",
          "maxLength": 4096
         }
        },
        "required": [
         "publicKey",
         "allowedIps"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Peer"
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/archived-peers": {
   "get": {
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "peers": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "publicKey": {
              "type": "string"
             },
             "name": {
              "type": "string"
             },
             "allowedIps": {
              "type": "array",
              "items": {
               "type": "string"
              }
             },
             "connector": {
              "type": "boolean"
             },
             "addedAt": {
              "type": "number"
             },
             "archivedAt": {
              "type": "number"
             },
             "reason": {
              "type": "string"
             }
            },
            "required": [
             "publicKey",
             "name",
             "allowedIps",
             "connector",
             "addedAt",
             "archivedAt",
             "reason"
            ]
           }
          }
         },
         "required": [
          "peers"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/peers/{name}": {
   "delete": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     },
     {
      "schema": {
       "type": "string",
       "maxLength": 256
      },
      "required": false,
      "name": "reason",
      "in": "query"
     }
    ],
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {}
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/wireguard": {
   "get": {
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "publicKey": {
           "type": "string"
          },
          "port": {
           "type": "number"
          },
          "retiring": {
           "type": "object",
           "properties": {
            "publicKey": {
             "type": "string",
             "pattern": "^[A-Za-z0-9+/]{43}=$"
            },
            "until": {
             "type": "integer",
             "minimum": 0
            },
            "peers": {
             "type": "array",
             "items": {
              "type": "string",
              "pattern": "^[A-Za-z0-9+/]{43}=$"
             },
             "maxItems": 4096
            }
           },
           "required": [
            "publicKey",
            "until",
            "peers"
           ],
           "additionalProperties": false
          },
          "peers": {
           "type": "array",
           "items": {
            "allOf": [
             {
              "$ref": "#/components/schemas/Peer"
             },
             {
              "type": "object",
              "properties": {
               "live": {
                "type": "object",
                "properties": {
                 "endpoint": {
                  "type": "string"
                 },
                 "lastHandshake": {
                  "type": "number",
                  "minimum": 0
                 },
                 "bytesIn": {
                  "type": "integer",
                  "minimum": 0
                 },
                 "bytesOut": {
                  "type": "integer",
                  "minimum": 0
                 },
                 "pskEpoch": {
                  "type": "integer",
                  "minimum": 0
                 },
                 "pskSince": {
                  "type": "number",
                  "minimum": 0
                 }
                },
                "required": [
                 "bytesIn",
                 "bytesOut"
                ],
                "additionalProperties": false
               }
              }
             }
            ]
           }
          }
         },
         "required": [
          "peers"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/wireguard/key": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "dryRun": {
          "type": "boolean"
         },
         "overlap": {
          "type": "boolean",
          "default": true
         }
        },
        "required": [
         "dryRun"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "from": {
           "type": "string"
          },
          "to": {
           "type": "string"
          },
          "backup": {
           "type": "string"
          },
          "oldUntil": {
           "type": "number"
          }
         },
         "required": [
          "from",
          "backup"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/connectors": {
   "get": {
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "connectors": {
           "type": "array",
           "items": {
            "$ref": "#/components/schemas/Connector"
           }
          }
         },
         "required": [
          "connectors"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "name": {
          "type": "string",
          "maxLength": 4096
         },
         "evidence": {
          "type": "string",
          "enum": [
           "weak",
           "strong"
          ]
         },
         "machine": {
          "type": "string",
          "maxLength": 4096
         },
         "workloads": {
          "type": "object",
          "additionalProperties": {
           "type": "array",
           "items": {
            "type": "string",
            "maxLength": 4096
           },
           "maxItems": 64
          }
         }
        },
        "required": [
         "name"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "token": {
           "type": "string"
          },
          "expires": {
           "type": "number"
          },
          "remote": {
           "type": "boolean"
          }
         },
         "required": [
          "token",
          "expires",
          "remote"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/enrolments": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "user": {
          "type": "string",
          "maxLength": 4096
         },
         "name": {
          "type": "string",
          "maxLength": 4096
         },
         "group": {
          "type": "string",
          "maxLength": 4096
         },
         "approval": {
          "type": "boolean"
         },
         "recovery": {
          "type": "boolean"
         }
        },
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "url": {
           "type": "string"
          },
          "user": {
           "type": "string"
          },
          "expires": {
           "type": "number"
          }
         },
         "required": [
          "url",
          "user",
          "expires"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/enrolments/first": {
   "post": {
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "url": {
           "type": [
            "string",
            "null"
           ]
          },
          "expires": {
           "type": "number"
          }
         },
         "required": [
          "url"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/users": {
   "get": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 128
      },
      "required": false,
      "name": "search",
      "in": "query"
     },
     {
      "schema": {
       "type": [
        "integer",
        "null"
       ],
       "minimum": 0
      },
      "required": false,
      "name": "offset",
      "in": "query"
     },
     {
      "schema": {
       "type": "integer",
       "minimum": 1,
       "maximum": 500
      },
      "required": false,
      "name": "limit",
      "in": "query"
     }
    ],
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "users": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "id": {
              "type": "string"
             },
             "name": {
              "type": "string"
             },
             "groups": {
              "type": "array",
              "items": {
               "type": "string"
              }
             },
             "roles": {
              "type": "array",
              "items": {
               "type": "string",
               "enum": [
                "manager",
                "pki",
                "notary",
                "policy"
               ]
              }
             },
             "enrolled": {
              "type": "boolean"
             },
             "disabled": {
              "type": "boolean"
             },
             "disabledAt": {
              "type": "number"
             },
             "reason": {
              "type": "string"
             },
             "devices": {
              "type": "array",
              "items": {
               "type": "object",
               "properties": {
                "id": {
                 "type": "string"
                },
                "createdAt": {
                 "type": "number"
                },
                "revoked": {
                 "type": "boolean"
                }
               },
               "required": [
                "id",
                "createdAt",
                "revoked"
               ]
              }
             }
            },
            "required": [
             "id",
             "name",
             "groups",
             "roles",
             "enrolled",
             "disabled",
             "devices"
            ]
           }
          },
          "total": {
           "type": "number"
          }
         },
         "required": [
          "users",
          "total"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "name": {
          "type": "string",
          "maxLength": 4096
         },
         "group": {
          "type": "string",
          "maxLength": 4096
         }
        },
        "required": [
         "name"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string"
          },
          "name": {
           "type": "string"
          }
         },
         "required": [
          "id",
          "name"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/roles": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "user": {
          "type": "string",
          "maxLength": 4096
         },
         "role": {
          "type": "string",
          "enum": [
           "manager",
           "pki",
           "notary",
           "policy"
          ]
         },
         "held": {
          "type": "boolean"
         }
        },
        "required": [
         "user",
         "role",
         "held"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {}
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/users/{name}": {
   "delete": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     },
     {
      "schema": {
       "type": "string",
       "maxLength": 256
      },
      "required": false,
      "name": "reason",
      "in": "query"
     }
    ],
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {}
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/policies": {
   "get": {
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "policies": {
           "type": "object",
           "additionalProperties": {
            "type": "string"
           }
          }
         },
         "required": [
          "policies"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "put": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "anyOf": [
         {
          "type": "object",
          "properties": {
           "text": {
            "type": "string",
            "maxLength": 100000
           }
          },
          "required": [
           "text"
          ],
          "additionalProperties": false
         },
         {
          "type": "object",
          "properties": {
           "map": {
            "type": "object",
            "additionalProperties": {
             "type": "string",
             "maxLength": 100000
            }
           }
          },
          "required": [
           "map"
          ],
          "additionalProperties": false
         }
        ]
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "anyOf": [
          {
           "type": "object",
           "properties": {
            "state": {
             "type": "string",
             "enum": [
              "inForce"
             ]
            },
            "policies": {
             "type": "array",
             "items": {
              "type": "string"
             }
            },
            "epoch": {
             "type": "number"
            }
           },
           "required": [
            "state",
            "policies",
            "epoch"
           ]
          },
          {
           "type": "object",
           "properties": {
            "state": {
             "type": "string",
             "enum": [
              "waiting"
             ]
            },
            "change": {
             "$ref": "#/components/schemas/Change"
            },
            "epoch": {
             "type": "number"
            }
           },
           "required": [
            "state",
            "change",
            "epoch"
           ]
          }
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/policies/schema": {
   "get": {
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "schema": {
           "type": "string"
          }
         },
         "required": [
          "schema"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/policies/check": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "anyOf": [
         {
          "type": "object",
          "properties": {
           "text": {
            "type": "string",
            "maxLength": 100000
           }
          },
          "required": [
           "text"
          ],
          "additionalProperties": false
         },
         {
          "type": "object",
          "properties": {
           "map": {
            "type": "object",
            "additionalProperties": {
             "type": "string",
             "maxLength": 100000
            }
           }
          },
          "required": [
           "map"
          ],
          "additionalProperties": false
         }
        ]
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/CheckedPolicies"
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/policies/explain": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "user": {
          "type": "string",
          "maxLength": 256
         },
         "link": {
          "type": "string",
          "maxLength": 256
         },
         "use": {
          "type": "integer",
          "minimum": 1
         },
         "device": {
          "type": "string",
          "maxLength": 256
         },
         "service": {
          "type": "string",
          "maxLength": 256
         },
         "action": {
          "type": "string",
          "enum": [
           "launch",
           "open",
           "request"
          ]
         },
         "at": {
          "type": "integer",
          "minimum": 0,
          "maximum": 8640000000000000
         },
         "amr": {
          "type": "array",
          "items": {
           "type": "string",
           "enum": [
            "passkey",
            "deviceKey",
            "oidc",
            "saml",
            "guestLink",
            "stepUp"
           ]
          },
          "maxItems": 16
         },
         "authAgeS": {
          "type": "number",
          "minimum": 0,
          "maximum": 2147483648
         },
         "postureAgeS": {
          "type": "number",
          "minimum": 0,
          "maximum": 2147483648
         },
         "signals": {
          "type": "object",
          "properties": {
           "browser": {
            "anyOf": [
             {
              "type": "string",
              "maxLength": 256
             },
             {
              "type": "integer"
             },
             {
              "type": "boolean"
             }
            ]
           },
           "browserMajor": {
            "anyOf": [
             {
              "type": "string",
              "maxLength": 256
             },
             {
              "type": "integer"
             },
             {
              "type": "boolean"
             }
            ]
           },
           "engine": {
            "anyOf": [
             {
              "type": "string",
              "maxLength": 256
             },
             {
              "type": "integer"
             },
             {
              "type": "boolean"
             }
            ]
           },
           "engineMajor": {
            "anyOf": [
             {
              "type": "string",
              "maxLength": 256
             },
             {
              "type": "integer"
             },
             {
              "type": "boolean"
             }
            ]
           },
           "os": {
            "anyOf": [
             {
              "type": "string",
              "maxLength": 256
             },
             {
              "type": "integer"
             },
             {
              "type": "boolean"
             }
            ]
           },
           "osVersion": {
            "anyOf": [
             {
              "type": "string",
              "maxLength": 256
             },
             {
              "type": "integer"
             },
             {
              "type": "boolean"
             }
            ]
           },
           "secureContext": {
            "anyOf": [
             {
              "type": "string",
              "maxLength": 256
             },
             {
              "type": "integer"
             },
             {
              "type": "boolean"
             }
            ]
           },
           "crossOriginIsolated": {
            "anyOf": [
             {
              "type": "string",
              "maxLength": 256
             },
             {
              "type": "integer"
             },
             {
              "type": "boolean"
             }
            ]
           },
           "automation": {
            "anyOf": [
             {
              "type": "string",
              "maxLength": 256
             },
             {
              "type": "integer"
             },
             {
              "type": "boolean"
             }
            ]
           },
           "userVerified": {
            "anyOf": [
             {
              "type": "string",
              "maxLength": 256
             },
             {
              "type": "integer"
             },
             {
              "type": "boolean"
             }
            ]
           },
           "userVerificationAgeS": {
            "anyOf": [
             {
              "type": "string",
              "maxLength": 256
             },
             {
              "type": "integer"
             },
             {
              "type": "boolean"
             }
            ]
           },
           "backupEligible": {
            "anyOf": [
             {
              "type": "string",
              "maxLength": 256
             },
             {
              "type": "integer"
             },
             {
              "type": "boolean"
             }
            ]
           },
           "backedUp": {
            "anyOf": [
             {
              "type": "string",
              "maxLength": 256
             },
             {
              "type": "integer"
             },
             {
              "type": "boolean"
             }
            ]
           }
          },
          "additionalProperties": false
         },
         "kind": {
          "type": "string",
          "enum": [
           "http",
           "websocket",
           "tcp",
           "udp"
          ]
         },
         "method": {
          "type": "string",
          "pattern": "^[A-Z]{1,32}$"
         },
         "path": {
          "type": "string",
          "maxLength": 1024
         },
         "draft": {
          "anyOf": [
           {
            "type": "object",
            "properties": {
             "text": {
              "type": "string",
              "maxLength": 100000
             }
            },
            "required": [
             "text"
            ],
            "additionalProperties": false
           },
           {
            "type": "object",
            "properties": {
             "map": {
              "type": "object",
              "additionalProperties": {
               "type": "string",
               "maxLength": 100000
              }
             }
            },
            "required": [
             "map"
            ],
            "additionalProperties": false
           }
          ]
         }
        },
        "required": [
         "service",
         "action"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "decision": {
           "type": "string",
           "enum": [
            "allow",
            "deny"
           ]
          },
          "policies": {
           "type": "array",
           "items": {
            "type": "string"
           }
          },
          "lacks": {
           "type": "string",
           "enum": [
            "stepUp"
           ]
          },
          "considered": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "id": {
              "type": "string"
             },
             "effect": {
              "type": "string",
              "enum": [
               "permit",
               "forbid"
              ]
             },
             "outcome": {
              "type": "string",
              "enum": [
               "applies",
               "falls-short",
               "errs"
              ]
             },
             "error": {
              "type": "string"
             },
             "text": {
              "type": "string"
             }
            },
            "required": [
             "id",
             "effect",
             "outcome",
             "text"
            ]
           }
          }
         },
         "required": [
          "decision",
          "policies",
          "considered"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/policies/simulate": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "draft": {
          "anyOf": [
           {
            "type": "object",
            "properties": {
             "text": {
              "type": "string",
              "maxLength": 100000
             }
            },
            "required": [
             "text"
            ],
            "additionalProperties": false
           },
           {
            "type": "object",
            "properties": {
             "map": {
              "type": "object",
              "additionalProperties": {
               "type": "string",
               "maxLength": 100000
              }
             }
            },
            "required": [
             "map"
            ],
            "additionalProperties": false
           }
          ]
         },
         "sinceS": {
          "type": "integer",
          "minimum": 1,
          "maximum": 31622400,
          "default": 604800
         },
         "limit": {
          "type": "integer",
          "minimum": 1,
          "maximum": 20000,
          "default": 10000
         }
        },
        "required": [
         "draft"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Simulation"
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/changes": {
   "get": {
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "changes": {
           "type": "array",
           "items": {
            "$ref": "#/components/schemas/Change"
           }
          }
         },
         "required": [
          "changes"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/root": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "dryRun": {
          "type": "boolean"
         }
        },
        "required": [
         "dryRun"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "from": {
           "type": "string"
          },
          "change": {
           "$ref": "#/components/schemas/Change"
          }
         },
         "required": [
          "from"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/retention": {
   "get": {
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "days": {
           "type": [
            "number",
            "null"
           ]
          },
          "fault": {
           "type": "string"
          },
          "change": {
           "$ref": "#/components/schemas/Change"
          }
         },
         "required": [
          "days"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "days": {
          "type": [
           "integer",
           "null"
          ],
          "minimum": 90,
          "maximum": 36500
         }
        },
        "required": [
         "days"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "days": {
           "type": [
            "number",
            "null"
           ]
          },
          "fault": {
           "type": "string"
          },
          "change": {
           "$ref": "#/components/schemas/Change"
          }
         },
         "required": [
          "days"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/changes/{name}": {
   "delete": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     }
    ],
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {},
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/devices": {
   "get": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 128
      },
      "required": false,
      "name": "search",
      "in": "query"
     },
     {
      "schema": {
       "type": [
        "integer",
        "null"
       ],
       "minimum": 0
      },
      "required": false,
      "name": "offset",
      "in": "query"
     },
     {
      "schema": {
       "type": "integer",
       "minimum": 1,
       "maximum": 500
      },
      "required": false,
      "name": "limit",
      "in": "query"
     },
     {
      "schema": {
       "type": "string",
       "enum": [
        "true",
        "false"
       ],
       "default": "false"
      },
      "required": false,
      "name": "archived",
      "in": "query"
     }
    ],
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "devices": {
           "type": "array",
           "items": {
            "$ref": "#/components/schemas/Device"
           }
          },
          "total": {
           "type": "number"
          }
         },
         "required": [
          "devices",
          "total"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/devices/{name}": {
   "delete": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     },
     {
      "schema": {
       "type": "string",
       "maxLength": 256
      },
      "required": false,
      "name": "reason",
      "in": "query"
     }
    ],
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {}
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/devices/{name}/name": {
   "post": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "name": {
          "type": "string",
          "maxLength": 256
         }
        },
        "required": [
         "name"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {}
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/devices/{name}/approve": {
   "post": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {},
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {}
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/devices/{name}/archive": {
   "post": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {},
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {}
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/sessions": {
   "get": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 128
      },
      "required": false,
      "name": "search",
      "in": "query"
     },
     {
      "schema": {
       "type": [
        "integer",
        "null"
       ],
       "minimum": 0
      },
      "required": false,
      "name": "offset",
      "in": "query"
     },
     {
      "schema": {
       "type": "integer",
       "minimum": 1,
       "maximum": 500
      },
      "required": false,
      "name": "limit",
      "in": "query"
     }
    ],
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "sessions": {
           "type": "array",
           "items": {
            "$ref": "#/components/schemas/Session"
           }
          },
          "total": {
           "type": "number"
          }
         },
         "required": [
          "sessions",
          "total"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/sessions/{name}": {
   "delete": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     }
    ],
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {}
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/connectors/{name}": {
   "delete": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     },
     {
      "schema": {
       "type": "string",
       "maxLength": 256
      },
      "required": false,
      "name": "reason",
      "in": "query"
     }
    ],
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {}
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/services/{name}/suspend": {
   "post": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "reason": {
          "type": "string",
          "maxLength": 256
         }
        },
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {}
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/services/{name}/resume": {
   "post": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {},
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {}
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/receipts": {
   "get": {
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "receipts": {
           "type": "array",
           "items": {
            "$ref": "#/components/schemas/Receipt"
           }
          }
         },
         "required": [
          "receipts"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/receipts/{name}": {
   "get": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     }
    ],
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "object": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          }
         },
         "required": [
          "object"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/links": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "services": {
          "type": "array",
          "items": {
           "type": "string",
           "maxLength": 4096
          },
          "maxItems": 256
         },
         "ttlS": {
          "type": "number"
         },
         "uses": {
          "type": "number"
         },
         "kiosk": {
          "type": "boolean",
          "default": false
         },
         "readOnly": {
          "type": "boolean",
          "default": false
         },
         "approval": {
          "type": "boolean",
          "default": false
         },
         "hours": {
          "type": "array",
          "items": {
           "type": "string",
           "maxLength": 4096
          },
          "maxItems": 256,
          "default": []
         },
         "zone": {
          "type": "string",
          "maxLength": 4096,
          "default": "UTC"
         },
         "recipient": {
          "type": "string",
          "maxLength": 4096
         }
        },
        "required": [
         "services",
         "ttlS",
         "uses"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "link": {
           "$ref": "#/components/schemas/Link"
          },
          "url": {
           "type": "string",
           "description": "holds the secret; told this once"
          }
         },
         "required": [
          "link",
          "url"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "get": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 128
      },
      "required": false,
      "name": "search",
      "in": "query"
     },
     {
      "schema": {
       "type": [
        "integer",
        "null"
       ],
       "minimum": 0
      },
      "required": false,
      "name": "offset",
      "in": "query"
     },
     {
      "schema": {
       "type": "integer",
       "minimum": 1,
       "maximum": 500
      },
      "required": false,
      "name": "limit",
      "in": "query"
     }
    ],
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "links": {
           "type": "array",
           "items": {
            "$ref": "#/components/schemas/Link"
           }
          },
          "total": {
           "type": "number"
          }
         },
         "required": [
          "links",
          "total"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/links/{name}": {
   "get": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     }
    ],
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Link"
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "delete": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     },
     {
      "schema": {
       "type": "string",
       "maxLength": 256
      },
      "required": false,
      "name": "reason",
      "in": "query"
     }
    ],
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {}
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/knocks": {
   "get": {
    "parameters": [
     {
      "schema": {
       "type": [
        "number",
        "null"
       ],
       "minimum": 0,
       "maximum": 10,
       "default": 0
      },
      "required": false,
      "name": "wait",
      "in": "query"
     }
    ],
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "knocks": {
           "type": "array",
           "items": {
            "$ref": "#/components/schemas/Knock"
           }
          }
         },
         "required": [
          "knocks"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/knocks/{name}/approve": {
   "post": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {},
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {}
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/knocks/{name}/refuse": {
   "post": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     }
    ],
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {},
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {}
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/status": {
   "get": {
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "hub": {
           "type": "string"
          },
          "fingerprint": {
           "type": "string"
          },
          "services": {
           "type": "number"
          },
          "events": {
           "type": "number"
          },
          "policyEpoch": {
           "type": "number"
          },
          "gateway": {
           "type": "boolean"
          }
         },
         "required": [
          "hub",
          "fingerprint",
          "services",
          "events",
          "policyEpoch",
          "gateway"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/keys": {
   "get": {
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/TrustState"
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/audit": {
   "get": {
    "parameters": [
     {
      "schema": {
       "type": [
        "integer",
        "null"
       ],
       "minimum": 0,
       "default": 0
      },
      "required": false,
      "name": "after",
      "in": "query"
     },
     {
      "schema": {
       "type": "integer",
       "minimum": 1,
       "maximum": 1000,
       "default": 100
      },
      "required": false,
      "name": "limit",
      "in": "query"
     },
     {
      "schema": {
       "type": "string",
       "enum": [
        "enrol",
        "login",
        "logout",
        "posture",
        "launch",
        "renew",
        "stepup",
        "session.open",
        "session.close",
        "session.reauth",
        "session.refused",
        "stream.open",
        "stream.close",
        "stream.cut",
        "http.request",
        "websocket.open",
        "link.change",
        "link.knock",
        "link.redeem",
        "admin",
        "policy.change",
        "service.change",
        "peer.change",
        "gateway.join",
        "gateway.leave",
        "gateway.alarm",
        "gateway.stale",
        "gateway.restart",
        "connector.join",
        "connector.leave",
        "svid.issue",
        "bypass",
        "control.start",
        "control.stop"
       ]
      },
      "required": false,
      "name": "type",
      "in": "query"
     },
     {
      "schema": {
       "type": "string",
       "pattern": "^[0-9a-f]{24}$"
      },
      "required": false,
      "name": "device",
      "in": "query"
     },
     {
      "schema": {
       "type": "string",
       "enum": [
        "true",
        "false"
       ]
      },
      "required": false,
      "name": "sincePosture",
      "in": "query"
     }
    ],
    "responses": {
     "200": {
      "description": "events in the order of the chain",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "events": {
           "type": "array",
           "items": {
            "$ref": "#/components/schemas/AuditEvent"
           }
          },
          "next": {
           "type": "number"
          }
         },
         "required": [
          "events",
          "next"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/audit/state": {
   "get": {
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/AuditState"
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/audit/verify": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {},
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {}
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/svids": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "service": {
          "type": "string",
          "maxLength": 63
         },
         "csr": {
          "type": "string",
          "maxLength": 4096
         }
        },
        "required": [
         "service",
         "csr"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Svids"
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/federations": {
   "get": {
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "federations": {
           "type": "array",
           "items": {
            "$ref": "#/components/schemas/Federation"
           }
          }
         },
         "required": [
          "federations"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   },
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "trustDomain": {
          "type": "string",
          "maxLength": 255
         },
         "bundle": {
          "type": "string",
          "maxLength": 100000
         },
         "namespaces": {
          "type": "array",
          "items": {
           "type": "string",
           "maxLength": 63
          },
          "maxItems": 256
         },
         "ttlS": {
          "type": "integer"
         }
        },
        "required": [
         "trustDomain",
         "bundle",
         "namespaces",
         "ttlS"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Federation"
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/admin/federations/{name}": {
   "delete": {
    "parameters": [
     {
      "schema": {
       "type": "string",
       "maxLength": 4096
      },
      "required": true,
      "name": "name",
      "in": "path"
     }
    ],
    "responses": {
     "200": {
      "description": "done",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {}
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/enrol/begin": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "token": {
          "type": "string",
          "pattern": "^[A-Za-z0-9_-]{1,256}$"
         }
        },
        "required": [
         "token"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "what the challenge is computed from",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "ceremony": {
           "type": "string",
           "pattern": "^[0-9a-f]{24}$"
          },
          "nonce": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "user": {
           "type": "object",
           "properties": {
            "id": {
             "type": "string",
             "pattern": "^[0-9a-f]{24}$"
            },
            "name": {
             "type": "string"
            },
            "handle": {
             "type": "string",
             "pattern": "^[A-Za-z0-9_-]*$",
             "description": "bytes in base64url"
            }
           },
           "required": [
            "id",
            "name",
            "handle"
           ]
          },
          "rp": {
           "type": "object",
           "properties": {
            "id": {
             "type": "string"
            },
            "name": {
             "type": "string"
            }
           },
           "required": [
            "id",
            "name"
           ]
          },
          "attestation": {
           "type": "string",
           "enum": [
            "none",
            "direct"
           ],
           "description": "what the authenticator is asked to show of its make"
          }
         },
         "required": [
          "ceremony",
          "nonce",
          "user",
          "rp",
          "attestation"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/enrol/finish": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "ceremony": {
          "type": "string",
          "pattern": "^[0-9a-f]{24}$"
         },
         "devicePublicKey": {
          "type": "string",
          "minLength": 43,
          "maxLength": 43
         },
         "deviceSignature": {
          "type": "string",
          "minLength": 86,
          "maxLength": 86
         },
         "posture": {
          "type": "object",
          "properties": {
           "statement": {
            "type": "string",
            "minLength": 3,
            "maxLength": 21846
           },
           "signature": {
            "type": "string",
            "minLength": 86,
            "maxLength": 86
           }
          },
          "required": [
           "statement",
           "signature"
          ],
          "additionalProperties": false
         },
         "credential": {
          "type": "object",
          "properties": {
           "id": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{1,1400}$"
           },
           "rawId": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{1,1400}$"
           },
           "type": {
            "type": "string",
            "enum": [
             "public-key"
            ]
           },
           "clientExtensionResults": {},
           "response": {
            "type": "object",
            "properties": {
             "clientDataJSON": {
              "type": "string",
              "maxLength": 8192,
              "pattern": "^[A-Za-z0-9_-]*$"
             },
             "attestationObject": {
              "type": "string",
              "maxLength": 65536,
              "pattern": "^[A-Za-z0-9_-]*$"
             },
             "transports": {
              "type": "array",
              "items": {
               "type": "string",
               "maxLength": 32
              },
              "maxItems": 16
             }
            },
            "required": [
             "clientDataJSON",
             "attestationObject"
            ]
           }
          },
          "required": [
           "id",
           "rawId",
           "type",
           "response"
          ]
         }
        },
        "required": [
         "ceremony",
         "devicePublicKey",
         "deviceSignature",
         "posture",
         "credential"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "enrolled and signed in; sets the lease cookie",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "user": {
           "type": "object",
           "properties": {
            "id": {
             "type": "string",
             "pattern": "^[0-9a-f]{24}$"
            },
            "name": {
             "type": "string"
            }
           },
           "required": [
            "id",
            "name"
           ]
          },
          "device": {
           "type": "object",
           "properties": {
            "id": {
             "type": "string",
             "pattern": "^[0-9a-f]{24}$"
            }
           },
           "required": [
            "id"
           ]
          }
         },
         "required": [
          "user",
          "device"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/login/begin": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "devicePublicKey": {
          "type": "string",
          "minLength": 43,
          "maxLength": 43
         }
        },
        "required": [
         "devicePublicKey"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "what the challenge is computed from",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "ceremony": {
           "type": "string",
           "pattern": "^[0-9a-f]{24}$"
          },
          "nonce": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "rpId": {
           "type": "string"
          },
          "user": {
           "type": "object",
           "properties": {
            "handle": {
             "type": "string",
             "pattern": "^[A-Za-z0-9_-]*$",
             "description": "bytes in base64url"
            },
            "name": {
             "type": "string"
            }
           },
           "required": [
            "handle",
            "name"
           ]
          },
          "credentialIds": {
           "type": "array",
           "items": {
            "type": "string"
           }
          }
         },
         "required": [
          "ceremony",
          "nonce",
          "rpId",
          "user",
          "credentialIds"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/login/finish": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "ceremony": {
          "type": "string",
          "pattern": "^[0-9a-f]{24}$"
         },
         "deviceSignature": {
          "type": "string",
          "minLength": 86,
          "maxLength": 86
         },
         "posture": {
          "type": "object",
          "properties": {
           "statement": {
            "type": "string",
            "minLength": 3,
            "maxLength": 21846
           },
           "signature": {
            "type": "string",
            "minLength": 86,
            "maxLength": 86
           }
          },
          "required": [
           "statement",
           "signature"
          ],
          "additionalProperties": false
         },
         "credential": {
          "type": "object",
          "properties": {
           "id": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{1,1400}$"
           },
           "rawId": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{1,1400}$"
           },
           "type": {
            "type": "string",
            "enum": [
             "public-key"
            ]
           },
           "clientExtensionResults": {},
           "response": {
            "type": "object",
            "properties": {
             "clientDataJSON": {
              "type": "string",
              "maxLength": 8192,
              "pattern": "^[A-Za-z0-9_-]*$"
             },
             "authenticatorData": {
              "type": "string",
              "maxLength": 8192,
              "pattern": "^[A-Za-z0-9_-]*$"
             },
             "signature": {
              "type": "string",
              "maxLength": 16384,
              "pattern": "^[A-Za-z0-9_-]*$"
             },
             "userHandle": {
              "type": [
               "string",
               "null"
              ],
              "maxLength": 128,
              "pattern": "^[A-Za-z0-9_-]*$"
             }
            },
            "required": [
             "clientDataJSON",
             "authenticatorData",
             "signature"
            ]
           }
          },
          "required": [
           "id",
           "rawId",
           "type",
           "response"
          ]
         }
        },
        "required": [
         "ceremony",
         "deviceSignature",
         "posture",
         "credential"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "signed in; sets the lease cookie",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "user": {
           "type": "object",
           "properties": {
            "id": {
             "type": "string",
             "pattern": "^[0-9a-f]{24}$"
            },
            "name": {
             "type": "string"
            }
           },
           "required": [
            "id",
            "name"
           ]
          },
          "device": {
           "type": "object",
           "properties": {
            "id": {
             "type": "string",
             "pattern": "^[0-9a-f]{24}$"
            }
           },
           "required": [
            "id"
           ]
          }
         },
         "required": [
          "user",
          "device"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/session": {
   "get": {
    "responses": {
     "200": {
      "description": "who is signed in",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "user": {
           "type": "object",
           "properties": {
            "id": {
             "type": "string",
             "pattern": "^[0-9a-f]{24}$"
            },
            "name": {
             "type": "string"
            }
           },
           "required": [
            "id",
            "name"
           ]
          },
          "device": {
           "type": "object",
           "properties": {
            "id": {
             "type": "string",
             "pattern": "^[0-9a-f]{24}$"
            }
           },
           "required": [
            "id"
           ]
          },
          "leaseEnds": {
           "type": "integer",
           "minimum": 0,
           "description": "ms since 1970"
          },
          "roles": {
           "type": "array",
           "items": {
            "type": "string",
            "enum": [
             "manager",
             "pki",
             "notary",
             "policy"
            ]
           }
          },
          "recovered": {
           "type": "object",
           "properties": {
            "at": {
             "type": "integer",
             "minimum": 0,
             "description": "ms since 1970"
            },
            "devices": {
             "type": "integer"
            }
           },
           "required": [
            "at",
            "devices"
           ]
          },
          "passkey": {
           "type": "object",
           "properties": {
            "rpId": {
             "type": "string"
            },
            "credentialId": {
             "type": "string"
            },
            "userHandle": {
             "type": "string",
             "pattern": "^[A-Za-z0-9_-]*$",
             "description": "bytes in base64url"
            }
           },
           "required": [
            "rpId",
            "credentialId",
            "userHandle"
           ]
          }
         },
         "required": [
          "user",
          "device",
          "leaseEnds",
          "roles",
          "passkey"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/services": {
   "get": {
    "responses": {
     "200": {
      "description": "the services this person may open",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "services": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "name": {
              "type": "string"
             },
             "title": {
              "type": "string"
             },
             "scheme": {
              "type": "string"
             },
             "app": {
              "type": "string"
             }
            },
            "required": [
             "name",
             "title",
             "scheme",
             "app"
            ]
           }
          },
          "shell": {
           "type": "string"
          }
         },
         "required": [
          "services",
          "shell"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/logout": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {},
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "the lease has ended, and every tunnel under it",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {},
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/launch/explain": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "service": {
          "type": "string",
          "minLength": 1,
          "maxLength": 64
         }
        },
        "required": [
         "service"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "this person may launch the service; every refusal says why not",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {},
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/launch/begin": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "service": {
          "type": "string",
          "minLength": 1,
          "maxLength": 64
         }
        },
        "required": [
         "service"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "what hub and shell compute the challenge from",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "ceremony": {
           "type": "string",
           "pattern": "^[0-9a-f]{24}$"
          },
          "nonce": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "lease": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "rpId": {
           "type": "string"
          },
          "userHandle": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "deviceKeyHash": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          }
         },
         "required": [
          "ceremony",
          "nonce",
          "lease",
          "rpId",
          "userHandle",
          "deviceKeyHash"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/launch/finish": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "ceremony": {
          "type": "string",
          "pattern": "^[0-9a-f]{24}$"
         },
         "sessionPublicKey": {
          "type": "string",
          "minLength": 2646,
          "maxLength": 2646
         },
         "deviceSignature": {
          "type": "string",
          "minLength": 86,
          "maxLength": 86
         },
         "sessionSignature": {
          "type": "string",
          "minLength": 4498,
          "maxLength": 4498
         },
         "posture": {
          "type": "object",
          "properties": {
           "statement": {
            "type": "string",
            "minLength": 3,
            "maxLength": 21846
           },
           "signature": {
            "type": "string",
            "minLength": 86,
            "maxLength": 86
           }
          },
          "required": [
           "statement",
           "signature"
          ],
          "additionalProperties": false
         }
        },
        "required": [
         "ceremony",
         "sessionPublicKey",
         "deviceSignature",
         "sessionSignature",
         "posture"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "the credential and everything a tunnel needs",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "svid": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "descriptor": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "certificates": {
           "type": "array",
           "items": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]*$",
            "description": "bytes in base64url"
           }
          },
          "root": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "pins": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "earlier": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "pins": {
              "type": "string",
              "pattern": "^[A-Za-z0-9_-]*$",
              "description": "bytes in base64url"
             },
             "root": {
              "type": "string",
              "pattern": "^[A-Za-z0-9_-]*$",
              "description": "bytes in base64url"
             }
            },
            "required": [
             "pins",
             "root"
            ]
           }
          },
          "endpoints": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "url": {
              "type": "string",
              "maxLength": 512,
              "format": "uri"
             },
             "transport": {
              "type": "string",
              "enum": [
               "webtransport",
               "websocket"
              ]
             },
             "certHashes": {
              "type": "array",
              "items": {
               "type": "string",
               "pattern": "^[A-Za-z0-9_-]*$"
              },
              "maxItems": 4
             }
            },
            "required": [
             "url",
             "transport",
             "certHashes"
            ],
            "additionalProperties": false
           }
          },
          "service": {
           "type": "object",
           "properties": {
            "name": {
             "type": "string"
            },
            "title": {
             "type": "string"
            },
            "app": {
             "type": "string"
            }
           },
           "required": [
            "name",
            "title",
            "app"
           ]
          },
          "posture": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "expires": {
           "type": "integer",
           "minimum": 0,
           "description": "ms since 1970"
          },
          "renewAfter": {
           "type": "integer",
           "minimum": 0,
           "description": "ms since 1970"
          },
          "launchLeaseEnds": {
           "type": "integer",
           "minimum": 0,
           "description": "ms since 1970"
          },
          "wipe": {
           "type": "string"
          }
         },
         "required": [
          "svid",
          "descriptor",
          "certificates",
          "root",
          "pins",
          "earlier",
          "endpoints",
          "service",
          "posture",
          "expires",
          "renewAfter",
          "launchLeaseEnds"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/link/preview": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "link": {
          "type": "string",
          "pattern": "^[0-9a-f]{24}$"
         },
         "secret": {
          "type": "string",
          "pattern": "^[A-Za-z0-9_-]{43}$"
         }
        },
        "required": [
         "link",
         "secret"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "what the link is for; nothing is used up",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "services": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "name": {
              "type": "string"
             },
             "title": {
              "type": "string"
             }
            },
            "required": [
             "name",
             "title"
            ]
           }
          },
          "expiresAt": {
           "type": "number"
          },
          "kiosk": {
           "type": "boolean"
          },
          "readOnly": {
           "type": "boolean"
          },
          "approval": {
           "type": "boolean"
          },
          "recipient": {
           "type": "boolean"
          }
         },
         "required": [
          "services",
          "expiresAt",
          "kiosk",
          "readOnly",
          "approval",
          "recipient"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/link/knock": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "link": {
          "type": "string",
          "pattern": "^[0-9a-f]{24}$"
         },
         "secret": {
          "type": "string",
          "pattern": "^[A-Za-z0-9_-]{43}$"
         },
         "recipient": {
          "type": "string",
          "maxLength": 254
         },
         "name": {
          "type": "string",
          "pattern": "^[^\\p{C}\\p{Zl}\\p{Zp}]{0,64}$/u"
         }
        },
        "required": [
         "link",
         "secret",
         "name"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "an administrator is told",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string",
           "pattern": "^[0-9a-f]{24}$"
          },
          "key": {
           "type": "string"
          },
          "code": {
           "type": "string"
          }
         },
         "required": [
          "id",
          "key",
          "code"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/link/knock/wait": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "id": {
          "type": "string",
          "pattern": "^[0-9a-f]{24}$"
         },
         "key": {
          "type": "string",
          "pattern": "^[A-Za-z0-9_-]{43}$"
         }
        },
        "required": [
         "id",
         "key"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "text/event-stream: one event for each state of the knock, until it is decided",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "id": {
           "type": "string",
           "pattern": "^[0-9a-f]{24}$"
          },
          "key": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]{43}$"
          }
         },
         "required": [
          "id",
          "key"
         ],
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/link/begin": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "link": {
          "type": "string",
          "pattern": "^[0-9a-f]{24}$"
         },
         "secret": {
          "type": "string",
          "pattern": "^[A-Za-z0-9_-]{43}$"
         },
         "recipient": {
          "type": "string",
          "maxLength": 254
         },
         "knock": {
          "type": "object",
          "properties": {
           "id": {
            "type": "string",
            "pattern": "^[0-9a-f]{24}$"
           },
           "key": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{43}$"
           }
          },
          "required": [
           "id",
           "key"
          ],
          "additionalProperties": false
         }
        },
        "required": [
         "link",
         "secret"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "what the challenge of the new passkey is computed from",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "ceremony": {
           "type": "string",
           "pattern": "^[0-9a-f]{24}$"
          },
          "nonce": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "user": {
           "type": "object",
           "properties": {
            "id": {
             "type": "string",
             "pattern": "^[0-9a-f]{24}$"
            },
            "name": {
             "type": "string"
            },
            "handle": {
             "type": "string",
             "pattern": "^[A-Za-z0-9_-]*$",
             "description": "bytes in base64url"
            }
           },
           "required": [
            "id",
            "name",
            "handle"
           ]
          },
          "rp": {
           "type": "object",
           "properties": {
            "id": {
             "type": "string"
            },
            "name": {
             "type": "string"
            }
           },
           "required": [
            "id",
            "name"
           ]
          },
          "attestation": {
           "type": "string",
           "enum": [
            "none",
            "direct"
           ],
           "description": "what the authenticator is asked to show of its make"
          }
         },
         "required": [
          "ceremony",
          "nonce",
          "user",
          "rp",
          "attestation"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/link/finish": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "ceremony": {
          "type": "string",
          "pattern": "^[0-9a-f]{24}$"
         },
         "devicePublicKey": {
          "type": "string",
          "minLength": 43,
          "maxLength": 43
         },
         "deviceSignature": {
          "type": "string",
          "minLength": 86,
          "maxLength": 86
         },
         "posture": {
          "type": "object",
          "properties": {
           "statement": {
            "type": "string",
            "minLength": 3,
            "maxLength": 21846
           },
           "signature": {
            "type": "string",
            "minLength": 86,
            "maxLength": 86
           }
          },
          "required": [
           "statement",
           "signature"
          ],
          "additionalProperties": false
         },
         "credential": {
          "type": "object",
          "properties": {
           "id": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{1,1400}$"
           },
           "rawId": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{1,1400}$"
           },
           "type": {
            "type": "string",
            "enum": [
             "public-key"
            ]
           },
           "clientExtensionResults": {},
           "response": {
            "type": "object",
            "properties": {
             "clientDataJSON": {
              "type": "string",
              "maxLength": 8192,
              "pattern": "^[A-Za-z0-9_-]*$"
             },
             "attestationObject": {
              "type": "string",
              "maxLength": 65536,
              "pattern": "^[A-Za-z0-9_-]*$"
             },
             "transports": {
              "type": "array",
              "items": {
               "type": "string",
               "maxLength": 32
              },
              "maxItems": 16
             }
            },
            "required": [
             "clientDataJSON",
             "attestationObject"
            ]
           }
          },
          "required": [
           "id",
           "rawId",
           "type",
           "response"
          ]
         }
        },
        "required": [
         "ceremony",
         "devicePublicKey",
         "deviceSignature",
         "posture",
         "credential"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "the link is this passkey’s now; sets the lease cookie",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "user": {
           "type": "object",
           "properties": {
            "id": {
             "type": "string",
             "pattern": "^[0-9a-f]{24}$"
            },
            "name": {
             "type": "string"
            }
           },
           "required": [
            "id",
            "name"
           ]
          },
          "device": {
           "type": "object",
           "properties": {
            "id": {
             "type": "string",
             "pattern": "^[0-9a-f]{24}$"
            }
           },
           "required": [
            "id"
           ]
          }
         },
         "required": [
          "user",
          "device"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/guest/enter": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "link": {
          "type": "string",
          "pattern": "^[0-9a-f]{24}$"
         },
         "secret": {
          "type": "string",
          "pattern": "^[A-Za-z0-9_-]{43}$"
         },
         "recipient": {
          "type": "string",
          "maxLength": 254
         },
         "knock": {
          "type": "object",
          "properties": {
           "id": {
            "type": "string",
            "pattern": "^[0-9a-f]{24}$"
           },
           "key": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{43}$"
           }
          },
          "required": [
           "id",
           "key"
          ],
          "additionalProperties": false
         },
         "posture": {
          "type": "object",
          "properties": {
           "statement": {
            "type": "string",
            "minLength": 3,
            "maxLength": 21846
           },
           "signature": {
            "type": "string",
            "minLength": 43,
            "maxLength": 43
           }
          },
          "required": [
           "statement",
           "signature"
          ],
          "additionalProperties": false
         }
        },
        "required": [
         "link",
         "secret",
         "posture"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "a use of the link is taken; sets the guest cookie",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "user": {
           "type": "object",
           "properties": {
            "id": {
             "type": "string",
             "pattern": "^[0-9a-f]{24}$"
            },
            "name": {
             "type": "string"
            }
           },
           "required": [
            "id",
            "name"
           ]
          },
          "device": {
           "type": "object",
           "properties": {
            "id": {
             "type": "string",
             "pattern": "^[0-9a-f]{24}$"
            }
           },
           "required": [
            "id"
           ]
          },
          "services": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "name": {
              "type": "string"
             },
             "title": {
              "type": "string"
             },
             "scheme": {
              "type": "string"
             },
             "app": {
              "type": "string"
             }
            },
            "required": [
             "name",
             "title",
             "scheme",
             "app"
            ]
           }
          },
          "shell": {
           "type": "string"
          },
          "until": {
           "type": "number"
          },
          "idleS": {
           "type": "integer"
          }
         },
         "required": [
          "user",
          "device",
          "services",
          "shell",
          "until",
          "idleS"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/guest/end": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "secret": {
          "type": "string",
          "pattern": "^[A-Za-z0-9_-]{43}$"
         }
        },
        "required": [
         "secret"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "the guest has gone, and every tunnel of theirs with them",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {},
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/guest/launch/begin": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "secret": {
          "type": "string",
          "pattern": "^[A-Za-z0-9_-]{43}$"
         },
         "service": {
          "type": "string",
          "minLength": 1,
          "maxLength": 64
         }
        },
        "required": [
         "secret",
         "service"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "what hub and shell compute the challenge from",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "ceremony": {
           "type": "string",
           "pattern": "^[0-9a-f]{24}$"
          },
          "nonce": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "lease": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "rpId": {
           "type": "string"
          },
          "userHandle": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "deviceKeyHash": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          }
         },
         "required": [
          "ceremony",
          "nonce",
          "lease",
          "rpId",
          "userHandle",
          "deviceKeyHash"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/guest/launch/finish": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "ceremony": {
          "type": "string",
          "pattern": "^[0-9a-f]{24}$"
         },
         "sessionPublicKey": {
          "type": "string",
          "minLength": 2646,
          "maxLength": 2646
         },
         "sessionSignature": {
          "type": "string",
          "minLength": 4498,
          "maxLength": 4498
         },
         "secret": {
          "type": "string",
          "pattern": "^[A-Za-z0-9_-]{43}$"
         },
         "linkSignature": {
          "type": "string",
          "minLength": 43,
          "maxLength": 43
         },
         "posture": {
          "type": "object",
          "properties": {
           "statement": {
            "type": "string",
            "minLength": 3,
            "maxLength": 21846
           },
           "signature": {
            "type": "string",
            "minLength": 43,
            "maxLength": 43
           }
          },
          "required": [
           "statement",
           "signature"
          ],
          "additionalProperties": false
         }
        },
        "required": [
         "ceremony",
         "sessionPublicKey",
         "sessionSignature",
         "secret",
         "linkSignature",
         "posture"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "the credential and everything a tunnel needs",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "svid": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "descriptor": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "certificates": {
           "type": "array",
           "items": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]*$",
            "description": "bytes in base64url"
           }
          },
          "root": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "pins": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "earlier": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "pins": {
              "type": "string",
              "pattern": "^[A-Za-z0-9_-]*$",
              "description": "bytes in base64url"
             },
             "root": {
              "type": "string",
              "pattern": "^[A-Za-z0-9_-]*$",
              "description": "bytes in base64url"
             }
            },
            "required": [
             "pins",
             "root"
            ]
           }
          },
          "endpoints": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "url": {
              "type": "string",
              "maxLength": 512,
              "format": "uri"
             },
             "transport": {
              "type": "string",
              "enum": [
               "webtransport",
               "websocket"
              ]
             },
             "certHashes": {
              "type": "array",
              "items": {
               "type": "string",
               "pattern": "^[A-Za-z0-9_-]*$"
              },
              "maxItems": 4
             }
            },
            "required": [
             "url",
             "transport",
             "certHashes"
            ],
            "additionalProperties": false
           }
          },
          "service": {
           "type": "object",
           "properties": {
            "name": {
             "type": "string"
            },
            "title": {
             "type": "string"
            },
            "app": {
             "type": "string"
            }
           },
           "required": [
            "name",
            "title",
            "app"
           ]
          },
          "posture": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "expires": {
           "type": "integer",
           "minimum": 0,
           "description": "ms since 1970"
          },
          "renewAfter": {
           "type": "integer",
           "minimum": 0,
           "description": "ms since 1970"
          },
          "launchLeaseEnds": {
           "type": "integer",
           "minimum": 0,
           "description": "ms since 1970"
          },
          "wipe": {
           "type": "string"
          }
         },
         "required": [
          "svid",
          "descriptor",
          "certificates",
          "root",
          "pins",
          "earlier",
          "endpoints",
          "service",
          "posture",
          "expires",
          "renewAfter",
          "launchLeaseEnds"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/providers": {
   "get": {
    "responses": {
     "200": {
      "description": "what the providers are called that people may sign in at",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "providers": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "protocol": {
              "type": "string",
              "enum": [
               "oidc",
               "saml"
              ]
             },
             "name": {
              "type": "string"
             }
            },
            "required": [
             "protocol",
             "name"
            ]
           }
          }
         },
         "required": [
          "providers"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/oidc/begin": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "devicePublicKey": {
          "type": "string",
          "minLength": 43,
          "maxLength": 43
         }
        },
        "required": [
         "devicePublicKey"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "where to sign in, and what the challenge is computed from afterwards",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "url": {
           "type": "string"
          },
          "nonce": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "userHandle": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "rpId": {
           "type": "string"
          }
         },
         "required": [
          "url",
          "nonce",
          "userHandle",
          "rpId"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/oidc/finish": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "answer": {
          "type": "string",
          "pattern": "^[\\x21-\\x7e]{1,8192}$"
         },
         "deviceSignature": {
          "type": "string",
          "minLength": 86,
          "maxLength": 86
         },
         "posture": {
          "type": "object",
          "properties": {
           "statement": {
            "type": "string",
            "minLength": 3,
            "maxLength": 21846
           },
           "signature": {
            "type": "string",
            "minLength": 86,
            "maxLength": 86
           }
          },
          "required": [
           "statement",
           "signature"
          ],
          "additionalProperties": false
         }
        },
        "required": [
         "answer",
         "deviceSignature",
         "posture"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "signed in by the provider; sets the lease cookie",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "user": {
           "type": "object",
           "properties": {
            "id": {
             "type": "string",
             "pattern": "^[0-9a-f]{24}$"
            },
            "name": {
             "type": "string"
            }
           },
           "required": [
            "id",
            "name"
           ]
          },
          "device": {
           "type": "object",
           "properties": {
            "id": {
             "type": "string",
             "pattern": "^[0-9a-f]{24}$"
            }
           },
           "required": [
            "id"
           ]
          }
         },
         "required": [
          "user",
          "device"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/saml/begin": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "devicePublicKey": {
          "type": "string",
          "minLength": 43,
          "maxLength": 43
         }
        },
        "required": [
         "devicePublicKey"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "where to sign in, and what the challenge is computed from afterwards",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "url": {
           "type": "string"
          },
          "nonce": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "userHandle": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "rpId": {
           "type": "string"
          }
         },
         "required": [
          "url",
          "nonce",
          "userHandle",
          "rpId"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/saml/finish": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "answer": {
          "type": "string",
          "pattern": "^[A-Za-z0-9._-]{1,128}$"
         },
         "deviceSignature": {
          "type": "string",
          "minLength": 86,
          "maxLength": 86
         },
         "posture": {
          "type": "object",
          "properties": {
           "statement": {
            "type": "string",
            "minLength": 3,
            "maxLength": 21846
           },
           "signature": {
            "type": "string",
            "minLength": 86,
            "maxLength": 86
           }
          },
          "required": [
           "statement",
           "signature"
          ],
          "additionalProperties": false
         }
        },
        "required": [
         "answer",
         "deviceSignature",
         "posture"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "signed in by the provider; sets the lease cookie",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "user": {
           "type": "object",
           "properties": {
            "id": {
             "type": "string",
             "pattern": "^[0-9a-f]{24}$"
            },
            "name": {
             "type": "string"
            }
           },
           "required": [
            "id",
            "name"
           ]
          },
          "device": {
           "type": "object",
           "properties": {
            "id": {
             "type": "string",
             "pattern": "^[0-9a-f]{24}$"
            }
           },
           "required": [
            "id"
           ]
          }
         },
         "required": [
          "user",
          "device"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/devices": {
   "get": {
    "responses": {
     "200": {
      "description": "the devices of this person",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "devices": {
           "type": "array",
           "items": {
            "$ref": "#/components/schemas/Device"
           }
          }
         },
         "required": [
          "devices"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/devices/name": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "device": {
          "type": "string",
          "pattern": "^[0-9a-f]{24}$"
         },
         "name": {
          "type": "string",
          "maxLength": 256
         }
        },
        "required": [
         "device",
         "name"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "the device has this name",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {},
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/devices/revoke": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "device": {
          "type": "string",
          "pattern": "^[0-9a-f]{24}$"
         }
        },
        "required": [
         "device"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "the device is out, and every tunnel of it",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {},
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/devices/invite": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {},
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "a one-time enrolment link for another device of this person, which an administrator then approves",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "url": {
           "type": "string"
          },
          "expires": {
           "type": "number"
          }
         },
         "required": [
          "url",
          "expires"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/changes": {
   "get": {
    "responses": {
     "200": {
      "description": "what waits for administrators; for administrators",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "changes": {
           "type": "array",
           "items": {
            "$ref": "#/components/schemas/Change"
           }
          }
         },
         "required": [
          "changes"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/changes/begin": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "change": {
          "type": "string",
          "pattern": "^[0-9a-f]{24}$"
         }
        },
        "required": [
         "change"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "what the challenge is computed from",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "ceremony": {
           "type": "string"
          },
          "nonce": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          }
         },
         "required": [
          "ceremony",
          "nonce"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/changes/finish": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "ceremony": {
          "type": "string",
          "pattern": "^[0-9a-f]{24}$"
         },
         "credential": {
          "type": "object",
          "properties": {
           "id": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{1,1400}$"
           },
           "rawId": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{1,1400}$"
           },
           "type": {
            "type": "string",
            "enum": [
             "public-key"
            ]
           },
           "clientExtensionResults": {},
           "response": {
            "type": "object",
            "properties": {
             "clientDataJSON": {
              "type": "string",
              "maxLength": 8192,
              "pattern": "^[A-Za-z0-9_-]*$"
             },
             "authenticatorData": {
              "type": "string",
              "maxLength": 8192,
              "pattern": "^[A-Za-z0-9_-]*$"
             },
             "signature": {
              "type": "string",
              "maxLength": 16384,
              "pattern": "^[A-Za-z0-9_-]*$"
             },
             "userHandle": {
              "type": [
               "string",
               "null"
              ],
              "maxLength": 128,
              "pattern": "^[A-Za-z0-9_-]*$"
             }
            },
            "required": [
             "clientDataJSON",
             "authenticatorData",
             "signature"
            ]
           }
          },
          "required": [
           "id",
           "rawId",
           "type",
           "response"
          ]
         }
        },
        "required": [
         "ceremony",
         "credential"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "approved by this person, and with the last approval in effect",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Change"
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/changes/refuse": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "change": {
          "type": "string",
          "pattern": "^[0-9a-f]{24}$"
         }
        },
        "required": [
         "change"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "it will not happen",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {},
         "additionalProperties": false
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/.well-known/latchkey/pins": {
   "get": {
    "responses": {
     "200": {
      "description": "the root keys of this installation",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "pins": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "root": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "fingerprint": {
           "type": "string",
           "pattern": "^[A-Za-z0-9_-]*$",
           "description": "bytes in base64url"
          },
          "earlier": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "pins": {
              "type": "string",
              "pattern": "^[A-Za-z0-9_-]*$",
              "description": "bytes in base64url"
             },
             "root": {
              "type": "string",
              "pattern": "^[A-Za-z0-9_-]*$",
              "description": "bytes in base64url"
             }
            },
            "required": [
             "pins",
             "root"
            ]
           }
          }
         },
         "required": [
          "pins",
          "root",
          "fingerprint",
          "earlier"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/.well-known/jwks.json": {
   "get": {
    "responses": {
     "200": {
      "description": "the keys that X-Latchkey-Jwt is signed with (RFC 7517)",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "keys": {
           "type": "array",
           "items": {
            "type": "object",
            "properties": {
             "kty": {
              "type": "string",
              "enum": [
               "EC"
              ]
             },
             "crv": {
              "type": "string",
              "enum": [
               "P-256"
              ]
             },
             "use": {
              "type": "string",
              "enum": [
               "sig"
              ]
             },
             "alg": {
              "type": "string",
              "enum": [
               "ES256"
              ]
             },
             "kid": {
              "type": "string"
             },
             "x": {
              "type": "string"
             },
             "y": {
              "type": "string"
             }
            },
            "required": [
             "kty",
             "crv",
             "use",
             "alg",
             "kid",
             "x",
             "y"
            ]
           }
          }
         },
         "required": [
          "keys"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/.well-known/latchkey/spiffe-bundle": {
   "get": {
    "responses": {
     "200": {
      "description": "the keys that SVIDs of this trust domain are checked by (SPIFFE bundle format)",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "keys": {
           "type": "array",
           "items": {
            "anyOf": [
             {
              "type": "object",
              "properties": {
               "kty": {
                "type": "string",
                "enum": [
                 "OKP"
                ]
               },
               "crv": {
                "type": "string",
                "enum": [
                 "Ed25519"
                ]
               },
               "use": {
                "type": "string",
                "enum": [
                 "x509-svid"
                ]
               },
               "x": {
                "type": "string"
               },
               "x5c": {
                "type": "array",
                "prefixItems": [
                 {
                  "type": "string"
                 }
                ]
               }
              },
              "required": [
               "kty",
               "crv",
               "use",
               "x",
               "x5c"
              ]
             },
             {
              "type": "object",
              "properties": {
               "kty": {
                "type": "string",
                "enum": [
                 "EC"
                ]
               },
               "crv": {
                "type": "string",
                "enum": [
                 "P-256"
                ]
               },
               "use": {
                "type": "string",
                "enum": [
                 "wit-svid"
                ]
               },
               "kid": {
                "type": "string"
               },
               "x": {
                "type": "string"
               },
               "y": {
                "type": "string"
               }
              },
              "required": [
               "kty",
               "crv",
               "use",
               "kid",
               "x",
               "y"
              ]
             }
            ]
           }
          },
          "spiffe_sequence": {
           "type": "integer"
          },
          "spiffe_refresh_hint": {
           "type": "integer"
          }
         },
         "required": [
          "keys",
          "spiffe_sequence",
          "spiffe_refresh_hint"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/svids": {
   "post": {
    "requestBody": {
     "required": true,
     "content": {
      "application/json": {
       "schema": {
        "type": "object",
        "properties": {
         "csr": {
          "type": "string",
          "maxLength": 4096
         }
        },
        "required": [
         "csr"
        ],
        "additionalProperties": false
       }
      }
     }
    },
    "responses": {
     "200": {
      "description": "SVIDs of this device, over a key that this person holds",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Svids"
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  },
  "/api/installation": {
   "get": {
    "responses": {
     "200": {
      "description": "the origin of the hub, and whom people ask",
      "content": {
       "application/json": {
        "schema": {
         "type": "object",
         "properties": {
          "hub": {
           "type": "string"
          },
          "contact": {
           "type": "string"
          }
         },
         "required": [
          "hub",
          "contact"
         ]
        }
       }
      }
     },
     "default": {
      "description": "refused",
      "content": {
       "application/json": {
        "schema": {
         "$ref": "#/components/schemas/Error"
        }
       }
      }
     }
    }
   }
  }
 },
 "webhooks": {}
};
